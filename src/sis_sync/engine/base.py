"""The interface through which the steps run SQL on DuckDB or Spark."""

from typing import Any, Protocol


class Engine(Protocol):
    """Runs SQL text on its own tables. Each `:name` in the text is replaced by that value as a literal."""

    def run(self, sql: str, **values: object) -> None:
        """Run statements that make or change tables."""

    def rows(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        """Return all rows of a query. For small results only."""

    def value(self, sql: str, **values: object) -> Any:
        """Return the single value of a query."""
