"""Every scenario by name: the processes to compare, and the promised ratio."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sis_sync.bench.compare import Comparison, Process
from sis_sync.bench.measure import module, run_measured
from sis_sync.bench.peers import creating_and_delta, creating_many, refuse_without_packages
from sis_sync.bench.places import District, Places, district, prepared_places
from sis_sync.bench.postgresql import Cluster, named_cluster, throw_away_cluster

MILLION = 1_000_000
LIMIT_MB = 1024  # the engine's own default
ROOMY_MB = 6144  # enough for 5,000,000 rows
GROWTH_REPEATS = 2  # each run takes minutes, and repeats differ less than sizes do


@dataclass(frozen=True)
class Setting:
    """The options of the command.

    Without `rows`, each scenario uses the number of rows that its promise names. `reference` replaces our own csv
    script, and `database` replaces the temporary PostgreSQL server.
    """

    cache: Path
    rows: int | None = None
    reference: Path | None = None
    database: str | None = None

    def files(self, usual_rows: int) -> District:
        """Return files with `rows` people, or with `usual_rows` if `rows` is not set."""
        self.cache.mkdir(parents=True, exist_ok=True)
        return district(self.cache, self.rows or usual_rows)

    def script(self, files: District) -> Process:
        """Return the csv script, which does the same work as a plan but without a database."""
        if self.reference:
            return Process(self.reference.name, [sys.executable, str(self.reference), str(files.folder)])
        return Process("csv.reader script", module("plain_script", files.folder))


def reading(setting: Setting) -> Iterator[Comparison]:
    """Compare the read step with DuckDB's reader, and the reading of a damaged file with that of an intact file."""
    files = setting.files(MILLION)
    whole = Process("read step, whole file", module("read_step", files.file("accounts")))
    broken = Process("read step, 1 % broken", module("read_step", files.file("broken")))
    strict = Process("DuckDB read_csv, strict", module("duckdb_floor", "read", files.file("accounts")))
    count = Process("DuckDB count(*)", module("duckdb_floor", "count", files.file("accounts")))
    yield Comparison("reading.clean", "read a clean file, with lines", files.rows, whole, strict, max_ratio=1.6)
    yield Comparison("reading.broken", "read a file with 1 % broken records", files.rows, broken, whole, max_ratio=1.3)
    yield Comparison("reading.count", "read a clean file, with lines", files.rows, whole, count)


def planning(setting: Setting) -> Iterator[Comparison]:
    """Measure `sis-sync plan` with the CSV of its plan, on a list with 0.5 % changed and 2 % bad rows."""
    files = setting.files(MILLION)
    paths = {name: str(files.file(name)) for name in ("roster", "orgs", "accounts")}
    words = ["plan", paths["roster"], "--mode", "full", "--orgs", paths["orgs"], "--accounts", paths["accounts"]]
    output = str(files.folder / "plan.csv")
    command = [sys.executable, "-m", "sis_sync", *words, "--output", output, "--json"]
    ours = Process("sis-sync plan", command)
    count = Process("DuckDB count(*)", module("duckdb_floor", "count", files.file("roster")))
    title = "read, validate, plan"
    yield Comparison("plan.script", title, files.rows, ours, setting.script(files), max_ratio=0.33)
    yield Comparison("plan.count", title, files.rows, ours, count, max_ratio=12)


def results(setting: Setting) -> Iterator[Comparison]:
    """Compare writing the results CSV of a plan with writing the same rows with Python's csv module."""
    files = setting.files(MILLION)
    tables = files.folder / "tables"
    if not (tables / "people.parquet").exists():
        run_measured(module("plan_steps", files.folder, LIMIT_MB, tables))
    engine = Process("results CSV by the engine", module("results_csv", tables, "engine"))
    rows = Process("the same rows by csv.writer", module("results_csv", tables, "writer"))
    yield Comparison("results", "write the results CSV", files.rows, engine, rows, alike=("lines",))


def growth(setting: Setting) -> Iterator[Comparison]:
    """Measure the same plan at growing sizes. Measure the largest with enough memory for all rows, and with 512 MB."""
    sizes = [setting.rows] if setting.rows else [10_000, 100_000, MILLION]
    for rows in sizes:
        files = district(setting.cache, rows)
        ours = Process("plan", module("plan_steps", files.folder, LIMIT_MB))
        yield Comparison(f"growth.{rows}", "read, validate, plan", rows, ours, max_repeats=GROWTH_REPEATS)
    files = setting.files(5 * MILLION)
    for name, limit, max_memory_mb in (("roomy", ROOMY_MB, None), ("limited", 512, 800)):
        ours = Process(f"plan, limit {limit} MB", module("plan_steps", files.folder, limit))
        title = f"plan with limit {limit:,} MB"
        yield Comparison(
            f"growth.{name}", title, files.rows, ours, max_memory_mb=max_memory_mb, max_repeats=GROWTH_REPEATS
        )


def sqlite(setting: Setting) -> Iterator[Comparison]:
    """Measure whole runs of the server on SQLite."""
    files = setting.files(MILLION)
    with prepared_places(files, None) as places:
        yield from _server_runs(setting, files, places, "SQLite", "executemany into the same table")


def postgresql(setting: Setting) -> Iterator[Comparison]:
    """Measure whole runs of the server on PostgreSQL, including the CPU seconds of PostgreSQL."""
    files = setting.files(MILLION)
    if setting.database:
        yield from _on_cluster(setting, files, named_cluster(setting.database))
        return
    with throw_away_cluster(setting.cache) as cluster:
        yield from _on_cluster(setting, files, cluster)


def _on_cluster(setting: Setting, files: District, cluster: Cluster) -> Iterator[Comparison]:
    with prepared_places(files, cluster) as places:
        yield from _server_runs(setting, files, places, "PostgreSQL", "COPY into the same table")


def _server_runs(
    setting: Setting, files: District, places: Places, database: str, floor_label: str
) -> Iterator[Comparison]:
    first, night = module("server_run", files.file("first")), module("server_run", files.file("roster"))
    script, name = setting.script(files), database.lower()
    full = places.process("full run", first, "empty")
    nightly = places.process("nightly run", night, "filled")
    nothing = places.process("run of the same file", first, "filled")
    floor = places.process(floor_label, module("account_rows", "write", places.rows), "empty")
    yield Comparison(f"{name}.full", f"full into empty {database}", files.rows, full, floor, max_ratio=1.3)
    yield Comparison(f"{name}.nightly", f"nightly run, {database}", files.rows, nightly, script, max_ratio=0.5)
    yield Comparison(f"{name}.nothing", f"nothing changed, {database}", files.rows, nothing)


def peers(setting: Setting) -> Iterator[Comparison]:
    """Compare whole runs on SQLite with other packages that do the same work."""
    refuse_without_packages()
    files = setting.files(10_000)
    with prepared_places(files, None) as places:
        yield from creating_and_delta(files, places)
    files = setting.files(100_000)
    with prepared_places(files, None) as places:
        yield from creating_many(files, places)


def start(_setting: Setting) -> Iterator[Comparison]:
    """Measure how long the command line takes to start."""
    ours = Process("sis-sync --help", [sys.executable, "-m", "sis_sync", "--help"])
    yield Comparison("help", "sis-sync --help", 0, ours, Process("python -c pass", [sys.executable, "-c", "pass"]))


SCENARIOS: dict[str, Callable[[Setting], Iterator[Comparison]]] = {
    "reading": reading,
    "plan": planning,
    "results": results,
    "sqlite": sqlite,
    "postgresql": postgresql,
    "peers": peers,
    "growth": growth,
    "help": start,
}
