"""The engine that validates, plans and guards: DuckDB in this process, or Spark. Files are DuckDB's in both cases.

DuckDB reads and cleans the files and writes plan and reports; what lies between runs on the engine, on these tables.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, get_args

from sis_sync.core.errors import ConfigurationError
from sis_sync.engine.base import Engine
from sis_sync.engine.session import Session
from sis_sync.engine.spark import SparkPlace, open_spark

EngineName = Literal["duckdb", "spark"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)


def engine_named(name: str) -> EngineName:
    """The engine of this name, DuckDB for none. ConfigurationError for a name that is no engine's."""
    for engine in ENGINES:
        if engine == (name.strip().lower() or "duckdb"):
            return engine
    raise ConfigurationError(f"SIS_SYNC_ENGINE is {name!r}.", fix=f"It is one of {', '.join(ENGINES)}.")


# Passwords stay on this machine.
_GIVEN = {
    "roster": "SELECT * EXCLUDE (password) FROM roster",
    "broken": "SELECT line, codes, width FROM broken",
    "broken_cells": "SELECT * FROM broken_cells",
    "accounts": "SELECT * FROM accounts",
    "orgs": "SELECT * FROM orgs",
    "listed_values": "SELECT * FROM listed_values",
}
_MADE = ("people", "ignored", "findings", "failed", "said", "remarks", "guesses", "absent", "plan")


@contextmanager
def planner(
    session: Session, engine: EngineName, place: SparkPlace | None = None, *, also: tuple[str, ...] = ()
) -> Iterator[Engine]:
    """The engine to validate, plan and guard with; afterwards `session` has the tables that it made.

    Call it when `session` has the roster, the directory, and the tables `also`.
    Raises ConfigurationError where Spark cannot be used.
    """
    if engine == "duckdb":
        yield session
        return
    place = place or SparkPlace.from_environment()
    with session.exchange_folder(place.folder) as folder, open_spark(place, folder) as spark:
        for name, query in {**_GIVEN, **{name: f"SELECT * FROM {name}" for name in also}}.items():
            path = folder / f"{name}.parquet"
            session.run(f"COPY ({query}) TO :path (FORMAT parquet)", path=str(path))
            spark.take(name, path)
        yield spark
        for name in _MADE:
            session.run(
                f"CREATE TEMP TABLE {name} AS SELECT * FROM read_parquet(:files)", files=f"{spark.give(name)}/*.parquet"
            )
