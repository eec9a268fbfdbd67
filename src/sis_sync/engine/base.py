"""What the steps ask of an engine, whichever it is."""

from typing import Any, Protocol


class Engine(Protocol):
    """Runs SQL text on tables of its own. `:name` in the text stands for a value, quoted as a literal."""

    def run(self, sql: str, **values: object) -> None:
        """Run statements that make or change tables."""

    def rows(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        """All rows of a query. For small results only."""

    def value(self, sql: str, **values: object) -> Any:
        """The one value of a query."""
