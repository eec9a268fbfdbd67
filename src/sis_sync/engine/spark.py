"""A session on Spark: in this process, on a standalone cluster, or through Spark Connect, by configuration alone."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sis_sync.core.environment import SPARK_FOLDER, SPARK_MASTER, SPARK_REMOTE
from sis_sync.core.errors import EngineUnavailable
from sis_sync.engine.spark_sql import named_queries, query, statements
from sis_sync.engine.sql import bind
from sis_sync.engine.text_functions import SPARK_FUNCTIONS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# What would otherwise depend on how the cluster is set up. Text compares and sorts by its bytes in both engines.
_PINNED = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.ansi.doubleQuotedIdentifiers": "false",
}
_QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}


@dataclass(frozen=True)
class SparkPlace:
    """Where Spark runs: `remote` (sc://host:port) before `master` (spark://host:port or local[n]).

    `folder` is for tables that go there and back, and must be the same folder for every machine; None: a temporary one.
    """

    master: str = SPARK_MASTER.default
    remote: str = ""
    folder: Path | None = None

    @property
    def is_here(self) -> bool:
        """Spark runs inside this process. Starting it costs seconds, so it stays for the next plan."""
        return not self.remote and self.master.startswith("local")

    @classmethod
    def from_environment(cls) -> "SparkPlace":
        """Return the place that the environment names."""
        folder = SPARK_FOLDER.text()
        return cls(
            master=SPARK_MASTER.text() or cls.master,
            remote=SPARK_REMOTE.text(),
            folder=Path(folder) if folder else None,
        )


@dataclass(frozen=True)
class SparkEngine:
    """Runs the steps' SQL text on Spark. A table is Parquet files in `folder` under a name that only this session sees.

    Files, because a query upon queries upon queries doubles with each until Spark has no memory left to plan it.
    """

    spark: "SparkSession"
    folder: Path
    tables: dict[str, Path] = field(default_factory=dict)

    def run(self, sql: str, **values: object) -> None:
        """Make what the statements make; ValueError for statements that do anything else."""
        for made in named_queries(bind(sql, **values)):
            if made.is_view:
                self.spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW {made.name} AS {made.query}")
            else:
                self._store(made.name, self.spark.sql(made.query))

    def rows(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        """All rows of a query. For small results only."""
        return [tuple(row) for row in self.spark.sql(query(statements(bind(sql, **values))[0])).collect()]

    def value(self, sql: str, **values: object) -> Any:
        """The one value of a query."""
        return self.rows(sql, **values)[0][0]

    def take(self, name: str, path: Path) -> None:
        """Make a table of Parquet: a file, or a folder of files."""
        self.spark.read.parquet(_as_spark_names_it(path)).createOrReplaceTempView(name)
        self.tables[name] = path

    def give(self, name: str) -> Path:
        """The folder of the Parquet files that hold a table or what a view shows now."""
        if name not in self.tables:
            self._store(name, self.spark.table(name))
        return self.tables[name]

    def _store(self, name: str, table: "DataFrame") -> None:
        path = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder)) / "table"
        table.write.parquet(_as_spark_names_it(path))
        self.take(name, path)


def _as_spark_names_it(path: Path) -> str:
    """A file's URI without escapes: Spark would look for a folder that is called %20, not for one with a space."""
    return f"file:///{path.absolute().as_posix().removeprefix('/')}"


@dataclass(frozen=True)
class SparkApplication:
    """Spark, started or reached once, for any number of sessions, also at the same time from several threads."""

    place: SparkPlace
    first: "SparkSession"
    folder: Path

    @contextmanager
    def session(self, part: str = "tables") -> Iterator[SparkEngine]:
        """A session of its own: no other sees its tables, functions or settings.

        Its tables lie in `folder` under `part`, a plain name that no other session has, and are gone afterwards.
        """
        folder = self.folder / part
        folder.mkdir()
        with ExitStack() as after:
            after.callback(shutil.rmtree, folder, ignore_errors=True)
            spark = self._new_session()
            if self.place.remote:
                after.callback(spark.stop)  # ends this session only; elsewhere it would end Spark for all
            for name, setting in _PINNED.items():
                spark.conf.set(name, setting)
            for statement in statements(SPARK_FUNCTIONS):
                spark.sql(query(statement)).collect()
            yield SparkEngine(spark, folder)

    def _new_session(self) -> "SparkSession":
        return _connect(self.place) if self.place.remote else self.first.newSession()


@contextmanager
def open_spark(place: SparkPlace) -> Iterator[SparkApplication]:
    """Spark at this place. Whoever opens it leaves it, once: a cluster is free for others afterwards.

    EngineUnavailable where pyspark, Java or the folder is missing, or nobody answers at the place.
    """
    first = _connect(place)
    if place.remote:
        _ask(place, first)
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
            f"The folder {place.folder}, where tables lie for Spark, cannot be used: {error.strerror}.",
            fix="Name a folder that is there, on this machine and all of Spark's: SIS_SYNC_SPARK_FOLDER.",
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


def _ask(place: SparkPlace, spark: "SparkSession") -> None:
    """EngineUnavailable unless the Connect server answers within seconds: by itself Spark would try for long."""
    from pyspark.errors import PySparkException
    from pyspark.sql.connect.client.retries import DefaultPolicy

    patient = spark.client.get_retry_policies()
    spark.client.set_retry_policies([DefaultPolicy(max_retries=4)])
    try:
        spark.sql("SELECT 1").collect()
    except PySparkException as error:
        spark.client.close()
        fix = "A Spark Connect server must answer there; check SIS_SYNC_SPARK_REMOTE, and that it lets this machine in."
        raise _unavailable(place, error, fix) from error
    spark.client.set_retry_policies(patient)


def _unavailable(place: SparkPlace, error: Exception, fix: str) -> EngineUnavailable:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return EngineUnavailable(f"Spark cannot be used at {place.remote or place.master}: {reason}", fix=fix)


def _loopback(place: SparkPlace) -> dict[str, str]:
    """A Spark inside this process listens to this machine only."""
    if not place.is_here:
        return {}
    return {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
