"""Compare a full run of ours with packages that do the same work, each used as its documentation recommends."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec

from sis_sync.bench.compare import Comparison, Process
from sis_sync.bench.measure import module
from sis_sync.bench.places import District, Places
from sis_sync.core.errors import ConfigurationError

PACKAGES = ("import_export", "pandas", "sqlalchemy")
TIMES_IMPORT_EXPORT, TIMES_PANDAS = 25, 5
MAX_REPEATS = 3
COUNTS = ("create", "update", "unchanged", "failed", "delete")


def refuse_without_packages() -> None:
    """Raise ConfigurationError if the packages are not installed. Only requirements/bench.lock lists them."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"The scenario peers needs packages that are not installed: {', '.join(missing)}.",
            fix="In a checkout: .venv/bin/python -m pip install --require-hashes -r requirements/bench.lock",
        )


def creating_and_delta(files: District, places: Places) -> Iterator[Comparison]:
    """Yield comparisons with django-import-export: the first list into an empty database, and the next night's list.

    Each runs once without and once with a dry run, which its admin pages always make first.
    """
    for name, title, file, begin in (
        ("create", "full into empty SQLite", "first", "empty"),
        ("delta", "nightly run, SQLite", "roster", "filled"),
    ):
        for label, more in (("django-import-export", ()), ("the same after a dry run", ("preview",))):
            ours, peer = _sides(files, places, "import_export_peer", label, file, begin, *more)
            scenario = "-".join(["peers." + name, *more])
            max_ratio = 1 / TIMES_IMPORT_EXPORT
            yield Comparison(
                scenario, title, files.rows, ours, peer, max_ratio=max_ratio, alike=COUNTS, max_repeats=MAX_REPEATS
            )


def creating_many(files: District, places: Places) -> Iterator[Comparison]:
    """Yield comparisons with pandas and SQLAlchemy: the first list into an empty database.

    They run once writing only the accounts, as one table, and once writing objects with a history, as ours does.
    """
    for label, more in (("pandas and SQLAlchemy", ()), ("the same by the ORM, with history", ("objects",))):
        ours, peer = _sides(files, places, "pandas_peer", label, "first", "empty", *more)
        scenario, max_ratio, alike = "-".join(["peers.pandas", *more]), 1 / TIMES_PANDAS, ("create", "failed")
        yield Comparison(scenario, "full into empty SQLite", files.rows, ours, peer, max_ratio=max_ratio, alike=alike)


def _sides(
    files: District, places: Places, peer: str, label: str, file: str, begin: str, *more: str
) -> tuple[Process, Process]:
    path = files.file(file)
    # In a warm process: the peer's costs are its rows, and so are ours in a server that has been running.
    ours = replace(places.process("run on a warm server", module("server_run", path, "warm"), begin), times_itself=True)
    return ours, places.process(label, module(peer, path, files.file("orgs"), *more), begin)
