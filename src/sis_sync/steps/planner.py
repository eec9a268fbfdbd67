"""The engine that validates, plans and guards: DuckDB in this process, or Spark. Files are DuckDB's in both cases.

DuckDB reads and cleans the files and writes plan and reports; what lies between runs on the engine, on these tables.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Literal, get_args

from sis_sync.core.errors import ConfigurationError
from sis_sync.engine.base import Engine
from sis_sync.engine.session import Session
from sis_sync.engine.spark import SparkApplication, SparkPlace, open_spark

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
def shared_spark(engine: EngineName) -> Iterator[SparkApplication | None]:
    """Spark for many plans, started once and left once; for DuckDB there is nothing to share.

    Raises EngineUnavailable where Spark cannot be used.
    """
    if engine == "duckdb":
        yield None
        return
    with open_spark(SparkPlace.from_environment()) as application:
        yield application


@contextmanager
def planner(
    session: Session,
    engine: EngineName,
    place: SparkPlace | None = None,
    *,
    shared: SparkApplication | None = None,
    part: str = "tables",
    also: tuple[str, ...] = (),
) -> Iterator[Engine]:
    """The engine to validate, plan and guard with; afterwards `session` has the tables that it made.

    Call it when `session` has the roster, the directory, and the tables `also`. Spark is opened at `place` for this
    plan alone unless it is `shared`; then `part` names the folder of this plan's tables.
    Raises EngineUnavailable where Spark cannot be used.
    """
    if engine == "duckdb":
        yield session
        return
    with _opened(session, place, shared) as application, application.session(part) as spark:
        for name, query in {**_GIVEN, **{name: f"SELECT * FROM {name}" for name in also}}.items():
            path = spark.folder / f"{name}.parquet"
            session.run(f"COPY ({query}) TO :path (FORMAT parquet)", path=str(path))
            spark.take(name, path)
        yield spark
        for name in _MADE:
            # What folders are called says nothing here: key=value in a path would become a column.
            session.run(
                f"CREATE TEMP TABLE {name} AS SELECT * FROM read_parquet(:files, hive_partitioning=false)",
                files=f"{spark.give(name)}/*.parquet",
            )


def _opened(
    session: Session, place: SparkPlace | None, shared: SparkApplication | None
) -> AbstractContextManager[SparkApplication]:
    if shared:
        return nullcontext(shared)
    place = place or SparkPlace.from_environment()
    return open_spark(replace(place, folder=place.folder or session.folder))
