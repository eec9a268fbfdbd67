"""Every scenario by name: the processes to compare, and the promised ratio."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from sis_sync.bench.compare import Comparison, Process
from sis_sync.bench.measure import module, run_measured
from sis_sync.bench.peers import creating_and_delta, creating_many, refuse_without_packages
from sis_sync.bench.places import LARGE, SMALL, District, Places, district, no_places, prepared_places
from sis_sync.bench.postgresql import Cluster, named_cluster, throw_away_cluster
from sis_sync.bench.work.page_cost import PAGES

MILLION = 1_000_000
STANDARD_MB, LITTLE_MB = 1024, 512  # the engine's own default, and a machine with less
NIGHT_MB = 450
GROWTH_REPEATS = 3  # each run takes minutes, and repeats differ less than sizes do
DISTRICTS, DISTRICT_ROWS = 200, 5_000
SMALL_DISTRICT, PAGE_RATIO = 1_000, 3.0
ONE_PROCESS = "-c max_parallel_workers_per_gather=0"  # so that all CPU seconds are those of the connection


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
    yield Comparison("plan.count", title, files.rows, ours, count, max_ratio=14)


def results(setting: Setting) -> Iterator[Comparison]:
    """Compare writing the results CSV of a plan with writing the same rows with Python's csv module."""
    files = setting.files(MILLION)
    tables = files.folder / "tables"
    if not (tables / "settled.parquet").exists():
        run_measured(module("plan_steps", files.folder, STANDARD_MB, tables))
    engine = Process("results CSV by the engine", module("results_csv", tables, "engine"))
    rows = Process("the same rows by csv.writer", module("results_csv", tables, "writer"))
    yield Comparison("results", "write the results CSV", files.rows, engine, rows, alike=("lines",))


def growth(setting: Setting) -> Iterator[Comparison]:
    """Measure nightly runs of growing districts; the largest with little memory, next to one of a million people."""
    sizes = [setting.rows] if setting.rows else [10_000, 100_000, MILLION]
    with ExitStack() as stack:
        for rows in sizes:
            night = _night(stack, setting, rows)
            yield Comparison(f"growth.{rows}", "nightly run, SQLite", rows, night, max_repeats=GROWTH_REPEATS)
        rows = 5 * sizes[-1]
        limited = _night(stack, setting, rows, memory_mb=LITTLE_MB)
        yield Comparison(
            "growth.limited",
            f"nightly run, limit {LITTLE_MB} MB",
            rows,
            limited,
            night,
            max_ratio=5.5,
            max_memory_mb=800,
            max_repeats=GROWTH_REPEATS,
        )


def _night(stack: ExitStack, setting: Setting, rows: int, *, memory_mb: int = STANDARD_MB) -> Process:
    """Prepare a place that is removed at the end of `stack`. Return a nightly run in it."""
    files = district(setting.cache, rows)
    places = stack.enter_context(prepared_places(files, None))
    first, roster = (module("server_run", files.file(name)) for name in ("first", "roster"))
    night = places.process(f"{rows:,} rows", roster, "filled", after=first)
    return replace(night, environment={**night.environment, "SIS_SYNC_MEMORY_MB": str(memory_mb)})


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
    # The first night after a first import is cold: the memory of the school system is made by it.
    cold = places.process("nightly run", night, "filled")
    nightly = places.process("nightly run", night, "filled", after=first)
    nothing = places.process("run of the same file", first, "filled", after=first)
    floor = places.process(floor_label, module("account_rows", "write", places.rows), "empty")
    full_ratio, night_ratio = {"sqlite": (1.3, 0.20), "postgresql": (1.9, 0.25)}[name]
    yield Comparison(f"{name}.full", f"full into empty {database}", files.rows, full, floor, max_ratio=full_ratio)
    yield Comparison(
        f"{name}.nightly",
        f"nightly run, {database}",
        files.rows,
        nightly,
        script,
        max_ratio=night_ratio,
        max_memory_mb=NIGHT_MB,
    )
    cold_ratio = 0.65 if name == "sqlite" else None
    yield Comparison(f"{name}.cold", f"cold nightly run, {database}", files.rows, cold, script, max_ratio=cold_ratio)
    yield Comparison(f"{name}.nothing", f"nothing changed, {database}", files.rows, nothing)


def waiting(setting: Setting) -> Iterator[Comparison]:
    """Compare how long a person waits for the plan of a file that was sent to a server with its planning alone."""
    files = setting.files(5_000)
    with prepared_places(files, None) as places:
        sides = {
            way: replace(
                places.process(label, module("waiting_time", files.file("roster"), way), "filled"), times_itself=True
            )
            for way, label in (("post", "from POST to waiting"), ("plan", "its planning alone"))
        }
        title = "from POST to waiting, SQLite"
        yield Comparison("waiting", title, files.rows, sides["post"], sides["plan"], max_ratio=1.3, seconds="wall")


def pages(setting: Setting) -> Iterator[Comparison]:
    """Compare each page in a district of a million people with the same page in one of a thousand, on PostgreSQL."""
    setting.cache.mkdir(parents=True, exist_ok=True)
    if setting.database:
        yield from _pages_on(setting, named_cluster(setting.database))
        return
    with throw_away_cluster(setting.cache) as cluster:
        yield from _pages_on(setting, cluster)


def _pages_on(setting: Setting, cluster: Cluster) -> Iterator[Comparison]:
    rows = setting.rows or MILLION
    with no_places(setting.cache, cluster) as places:
        people = {LARGE: rows, SMALL: min(SMALL_DISTRICT, rows)}
        environments = {name: {**places.environment(name), "PGOPTIONS": ONE_PROCESS} for name in people}
        for name, number in people.items():
            places.copy(None, name)
            run_measured(module("page_place", number), environment=environments[name])
        for page in PAGES:
            large, small = (
                Process(
                    f"{number:,} people", module("page_cost", page), environment=environments[name], times_itself=True
                )
                for name, number in people.items()
            )
            yield Comparison(
                f"pages.{page}", f"page {page}", rows, large, small, max_ratio=PAGE_RATIO, max_repeats=GROWTH_REPEATS
            )


def districts(setting: Setting) -> Iterator[Comparison]:
    """Measure a night of many school systems in one installation, one after the other."""
    files = setting.files(DISTRICT_ROWS)
    count = 1 if setting.rows else DISTRICTS
    with prepared_places(files, None) as places:
        words = (files.folder, count)
        run_measured(module("many_districts", *words, "first"), environment=places.environment("filled"))
        night = places.process(f"night of {count} districts", module("many_districts", *words, "night"), "filled")
        title = f"a night of {count} districts, SQLite"
        yield Comparison("districts", title, count * files.rows, night, max_repeats=GROWTH_REPEATS)


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
    "waiting": waiting,
    "pages": pages,
    "districts": districts,
    "help": start,
}
