"""The interface through which the steps run SQL on DuckDB or Spark. It loads neither."""

from typing import Any, Literal, Protocol, get_args

from sis_sync.core.errors import ConfigurationError

EngineName = Literal["duckdb", "spark"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)


class Engine(Protocol):
    """Runs SQL text on its own tables. Each `:name` in the text is replaced by that value as a literal."""

    def run(self, sql: str, **values: object) -> None:
        """Run statements that make or change tables."""

    def rows(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        """Return all rows of a query. For small results only."""

    def value(self, sql: str, **values: object) -> Any:
        """Return the single value of a query."""


def engine_named(name: str) -> EngineName:
    """Return the engine with this name, or DuckDB for an empty name. Raise ConfigurationError if there is none."""
    for engine in ENGINES:
        if engine == (name.strip().lower() or "duckdb"):
            return engine
    raise ConfigurationError(f"SIS_SYNC_ENGINE is {name!r}.", fix=f"It is one of {', '.join(ENGINES)}.")
