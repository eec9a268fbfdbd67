"""A DuckDB session with limits for memory and threads. It removes its temporary files when it closes."""

import os
import re
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from sis_sync.core.environment import THREADS
from sis_sync.core.stopping import interruptible, stop_point
from sis_sync.engine.sql import bind, literal
from sis_sync.engine.text_functions import DUCKDB_FUNCTIONS, PYTHON_FUNCTIONS

# Wildcards, which the engine would expand, and lone surrogates, which it cannot write.
_UNUSABLE = re.compile(r"[*?\[\]{}\ud800-\udfff]")

_CSV_BUFFER_BYTES = 1 << 23  # by default four times as much, which costs 50 MB more on a large file, and is slower


@dataclass(frozen=True)
class Session:
    """Runs SQL text. `folder` is for temporary files and is removed when the session ends.

    `attached` are the names of the databases that are attached. `functions` are the functions in Python that it has.
    """

    connection: duckdb.DuckDBPyConnection
    folder: Path
    attached: list[str] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)

    def run(self, sql: str, **values: object) -> None:
        """Run statements. Each `:name` in the text is replaced by that value as a literal."""
        stop_point()
        self._execute(bind(sql, **values))

    def rows(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        """Return all rows of a query. For small results only."""
        stop_point()
        return self._execute(bind(sql, **values))

    def value(self, sql: str, **values: object) -> Any:
        """Return the single value of a query."""
        return self.rows(sql, **values)[0][0]

    def _execute(self, sql: str) -> list[tuple[Any, ...]]:
        """Run the statements of a text. Return all rows of the last one."""
        rows: list[tuple[Any, ...]] = []
        for name, function in PYTHON_FUNCTIONS.items():
            # Few mappings call one. Defining the first loads numpy, which takes longer than planning a small file.
            if name not in self.functions and f"{name}(" in sql:
                self.connection.create_function(name, function, ["VARCHAR"], "VARCHAR")
                self.functions.add(name)
        for statement in _parse(self.connection, sql):
            rows = self.connection.execute(statement).fetchall()
        return rows

    def plainly_named(self, path: Path) -> Path:
        """Return the path, or the path of a copy if the engine would expand the name or cannot write it."""
        if not _UNUSABLE.search(str(path)):
            return path
        copy = Path(tempfile.mkstemp(dir=self.folder)[1])
        shutil.copyfile(path, copy)
        return copy

    def csv_source(self, path: Path, columns: Sequence[str], *, delimiter: str = ",", skip: int = 1) -> str:
        """Return the SQL that skips `skip` lines of a CSV file and reads the rest as text columns with these names.

        The engine must guess nothing about the file. An empty cell is an empty string, never NULL.
        """
        options = {
            "auto_detect": "false",
            "header": "false",
            "skip": str(skip),
            "delim": literal(delimiter),
            "quote": literal('"'),
            "escape": literal('"'),
            "strict_mode": "true",
            "compression": literal("none"),
            "buffer_size": str(_CSV_BUFFER_BYTES),
            "hive_partitioning": "false",  # else a folder named key=value would become a column
            "columns": "{" + ", ".join(f"{literal(name)}: 'VARCHAR'" for name in columns) + "}",
            "force_not_null": "[" + ", ".join(map(literal, columns)) + "]",
        }
        given = ", ".join(f"{name}={value}" for name, value in options.items())
        return f"read_csv({literal(self.plainly_named(path))}, {given})"

    def attach(self, path: Path, name: str) -> None:
        """Attach the database in this file under a name until the session ends. Make it if there is none."""
        self.connection.execute(f"ATTACH {literal(path)} AS {name}")
        self.attached.append(name)

    def detach(self) -> None:
        """Detach the databases that are attached."""
        while self.attached:
            self.connection.execute(f"DETACH {self.attached.pop()}")

    def insert(self, sql: str, parameters: Sequence[object]) -> None:
        """Run one statement. Each `?` is replaced by a whole list of rows."""
        self.connection.execute(sql, list(parameters)).fetchall()


# The statements of the texts of this process. Most texts are the same for every file, and parsing them takes a sixth of
# the time of a small plan.
_parsed: OrderedDict[str, list[duckdb.Statement]] = OrderedDict()  # the one used last is the last
_MOST_PARSED = 256  # texts; some name a temporary file, and no other plan uses them
_MOST_CHARACTERS = 32_768  # of one text; a mapping of many lines makes longer ones


def _parse(connection: duckdb.DuckDBPyConnection, sql: str) -> list[duckdb.Statement]:
    """Return the statements of a text. No execution changes them, so all sessions share them."""
    statements = _parsed.pop(sql, None) or connection.extract_statements(sql)
    if len(sql) <= _MOST_CHARACTERS:
        _parsed[sql] = statements
        if len(_parsed) > _MOST_PARSED:
            _parsed.popitem(last=False)
    return statements


@contextmanager
def open_session(
    *, temp_folder: Path | None = None, memory_limit_mb: int = 1024, threads: int | None = None
) -> Iterator[Session]:
    """Yield a session. Above `memory_limit_mb` it spills to a folder in `temp_folder` (default: the system's).

    `threads`: by default, as many as the environment allows for one run.
    """
    folder = Path(tempfile.mkdtemp(prefix="sis-sync-", dir=temp_folder))
    spill = folder / "spill"
    attached: list[str] = []
    try:
        # The temporary tables and views of a cursor end with it.
        with (
            _database(memory_limit_mb, spill, attached) as database,
            database.connection.cursor() as connection,
            interruptible(connection.interrupt),
        ):
            database.connection.execute(f"SET threads = {threads or THREADS.number()}")
            yield Session(connection, folder, attached, database.functions)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class _Database:
    """A database in memory, and the functions in Python that it has."""

    connection: duckdb.DuckDBPyConnection
    functions: set[str] = field(default_factory=set)


# A database that no session uses, by process and memory limit. Starting one takes as long as reading a thousand rows,
# and the server opens a session for many pages.
_spare: dict[tuple[int, int], _Database] = {}


@contextmanager
def _database(memory_limit_mb: int, spill: Path, attached: list[str]) -> Iterator[_Database]:
    """Yield an empty database for one session. Keep it for the next one unless this one failed, spilled or attached."""
    settings = (os.getpid(), memory_limit_mb)
    database = _spare.pop(settings, None) or _new_database(memory_limit_mb)
    try:
        database.connection.execute(bind("SET temp_directory = :spill", spill=spill))
        yield database
        # The folder for spilled data cannot be changed after its first use. Who attaches has much data, and the memory
        # for it is given back only with the database: 190 MB after a night of a million people.
        is_kept = not attached and not spill.exists() and _spare.setdefault(settings, database) is database
    except BaseException:
        database.connection.close()
        raise
    if not is_kept:
        database.connection.close()


def _new_database(memory_limit_mb: int) -> _Database:
    connection = duckdb.connect(
        config={
            "threads": "1",  # each session sets its own number
            "memory_limit": f"{memory_limit_mb}MB",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "enable_external_file_cache": "false",  # a path may be another file the next time
        }
    )
    connection.execute(DUCKDB_FUNCTIONS).fetchall()
    return _Database(connection)
