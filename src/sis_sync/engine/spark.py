"""Sessions on Spark: in this process, on a standalone cluster or through Spark Connect."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sis_sync.core.environment import SPARK_FOLDER, SPARK_MASTER, SPARK_REMOTE
from sis_sync.core.errors import EngineUnavailable
from sis_sync.core.stopping import interruptible, stop_point
from sis_sync.engine.spark_sql import named_queries, query, statements
from sis_sync.engine.sql import bind
from sis_sync.engine.text_functions import SPARK_FUNCTIONS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Results depend on these settings, and a cluster may set them differently. Both engines sort text by its bytes.
_PINNED = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.ansi.doubleQuotedIdentifiers": "false",
}
_PARTITIONS = "spark.sql.shuffle.partitions"
_ROWS_PER_PARTITION = 25_000
_MAX_PARTITIONS = 200  # the default of Spark, which is made for clusters
_QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}


@dataclass(frozen=True)
class SparkPlace:
    """The place where Spark runs: `remote` (sc://host:port) if set, else `master` (spark://host:port or local[n]).

    `folder` is for the tables exchanged with Spark. All machines share it. None means a temporary folder.
    """

    master: str = SPARK_MASTER.default
    remote: str = ""
    folder: Path | None = None

    @property
    def is_here(self) -> bool:
        """True if Spark runs inside this process. It takes seconds to start, so it keeps running for the next plan."""
        return not self.remote and self.master.startswith("local")

    @classmethod
    def from_environment(cls) -> "SparkPlace":
        """Return the place that the environment variables set."""
        folder = SPARK_FOLDER.text()
        return cls(
            master=SPARK_MASTER.text() or cls.master,
            remote=SPARK_REMOTE.text(),
            folder=Path(folder) if folder else None,
        )


@dataclass(frozen=True)
class SparkEngine:
    """Runs the SQL of the steps on Spark. Each table is stored as Parquet files in `folder`, for this session only.

    If a table stayed a query on other queries, its size would double with each step until Spark ran out of memory.
    """

    spark: "SparkSession"
    folder: Path
    tables: dict[str, Path] = field(default_factory=dict)

    def run(self, sql: str, **values: object) -> None:
        """Run statements that make or change tables. Raise ValueError for any other statement."""
        for made in named_queries(bind(sql, **values)):
            stop_point()
            if made.is_view:
                self.spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW {made.name} AS {made.query}")
            else:
                self._store(made.name, self.spark.sql(made.query))

    def rows(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        """Return all rows of a query. For small results only."""
        stop_point()
        return [tuple(row) for row in self.spark.sql(query(statements(bind(sql, **values))[0])).collect()]

    def value(self, sql: str, **values: object) -> Any:
        """Return the single value of a query."""
        return self.rows(sql, **values)[0][0]

    def take(self, name: str, path: Path) -> None:
        """Make a table from a Parquet file or a folder of them."""
        self.spark.read.parquet(_spark_uri(path)).createOrReplaceTempView(name)
        self.tables[name] = path

    def give(self, name: str) -> Path:
        """Return the folder of the Parquet files of a table, or of the current rows of a view."""
        if name not in self.tables:
            self._store(name, self.spark.table(name))
        return self.tables[name]

    def _store(self, name: str, table: "DataFrame") -> None:
        path = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder)) / "table"
        table.write.parquet(_spark_uri(path))
        self.take(name, path)


def _spark_uri(path: Path) -> str:
    """Return the URI of a file, unescaped: in an escaped one, Spark would take %20 literally, not as a space."""
    return f"file:///{path.absolute().as_posix().removeprefix('/')}"


@dataclass(frozen=True)
class SparkApplication:
    """One running Spark for any number of sessions, even in several threads at the same time."""

    place: SparkPlace
    first: "SparkSession"
    folder: Path

    @contextmanager
    def session(self, part: str = "tables", *, rows: int = 0) -> Iterator[SparkEngine]:
        """Yield a session. No other session sees its tables, functions or settings.

        Its tables are in the subfolder `part`, a plain name that no other session uses, and are removed at the end.
        `rows` is the number of rows of the largest table.
        """
        folder = self.folder / part
        folder.mkdir()
        with ExitStack() as after:
            after.callback(shutil.rmtree, folder, ignore_errors=True)
            spark = self._new_session()
            if self.place.remote:
                after.callback(spark.stop)  # ends this session; without Connect it would end Spark for all
            for name, setting in (_PINNED | self.partitions(rows)).items():
                spark.conf.set(name, setting)
            for statement in statements(SPARK_FUNCTIONS):
                spark.sql(query(statement)).collect()
            with interruptible(spark.interruptAll):
                yield SparkEngine(spark, folder)

    def partitions(self, rows: int) -> dict[str, str]:
        """Return the setting that limits the partitions to suit the rows, for a Spark inside this process.

        A cluster keeps its own settings, and so does a Spark whose configuration sets the number.
        """
        if not self.place.is_here or self.first.sparkContext.getConf().contains(_PARTITIONS):
            return {}
        return {_PARTITIONS: str(min(1 + rows // _ROWS_PER_PARTITION, _MAX_PARTITIONS))}

    def _new_session(self) -> "SparkSession":
        return _connect(self.place) if self.place.remote else self.first.newSession()


@contextmanager
def open_spark(place: SparkPlace) -> Iterator[SparkApplication]:
    """Start Spark or connect to it. Disconnect at the end of the block, so that a cluster is free for others.

    Raise EngineUnavailable if pyspark, Java or the folder is missing, or if Spark does not answer.
    """
    first = _connect(place)
    if place.remote:
        _check_answer(place, first)
    try:
        with _exchange_folder(place) as folder:
            yield SparkApplication(place, first, Path(folder))
    finally:
        if not place.is_here:
            first.stop()


def _exchange_folder(place: SparkPlace) -> "tempfile.TemporaryDirectory[str]":
    try:
        return tempfile.TemporaryDirectory(prefix="sis-sync-", dir=place.folder)
    except OSError as error:
        raise EngineUnavailable(
            f"The folder {place.folder}, for the tables of Spark, cannot be used: {error.strerror}.",
            fix="Set SIS_SYNC_SPARK_FOLDER to a folder that exists on this machine and on all workers.",
        ) from error


def _connect(place: SparkPlace) -> "SparkSession":
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise EngineUnavailable(
            "Spark is not installed here.",
            fix="Install it: pip install 'WHEEL[spark]', or '.[spark]' in a checkout.",
        ) from error
    try:
        if place.remote:
            return SparkSession.builder.remote(place.remote).create()
        builder = SparkSession.builder.master(place.master).appName("sis-sync")
        for name, setting in (_QUIET | _loopback(place)).items():
            builder = builder.config(name, setting)
        return builder.getOrCreate()
    except (PySparkException, OSError, ImportError) as error:
        raise _unavailable(place, error, "Java 17 must be installed; check SIS_SYNC_SPARK_MASTER.") from error


def _check_answer(place: SparkPlace, spark: "SparkSession") -> None:
    """Raise EngineUnavailable if the Connect server does not answer within seconds: Spark would retry for minutes."""
    from pyspark.errors import PySparkException
    from pyspark.sql.connect.client.retries import DefaultPolicy

    default_policies = spark.client.get_retry_policies()
    spark.client.set_retry_policies([DefaultPolicy(max_retries=4)])
    try:
        spark.sql("SELECT 1").collect()
    except PySparkException as error:
        spark.client.close()
        fix = "Check SIS_SYNC_SPARK_REMOTE: a Spark Connect server must run there and accept this machine."
        raise _unavailable(place, error, fix) from error
    spark.client.set_retry_policies(default_policies)


def _unavailable(place: SparkPlace, error: Exception, fix: str) -> EngineUnavailable:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return EngineUnavailable(f"Spark cannot be used at {place.remote or place.master}: {reason}", fix=fix)


def _loopback(place: SparkPlace) -> dict[str, str]:
    """Return the settings that make a Spark inside this process accept connections from this machine only."""
    if not place.is_here:
        return {}
    return {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
