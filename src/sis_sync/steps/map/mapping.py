"""A mapping: the rules that turn another export into our fields. `mapper_lines.py` reads them from text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

PLACEHOLDER = re.compile(r"\{([^{}:]+)(?::(lower|upper))?\}")
JUDGED_BY_LIST = ("user_type", "grade", "status", "school_district_external_id")


@dataclass(frozen=True)
class Split:
    """One part of a column: the text before or after the first separator."""

    header: str
    side: str
    separator: str


@dataclass(frozen=True)
class FieldRule:
    """How to make one field. The order: column or constant, first, split, template or default, value, pad."""

    columns: tuple[str, ...] = ()
    constant: str | None = None
    first: str | None = None
    split: Split | None = None
    template: str | None = None
    default: str | None = None
    values: dict[str, str] = field(default_factory=dict)
    rest: str = "keep"
    pad: int | None = None

    @staticmethod
    def placeholders(template: str) -> list[tuple[str, str]]:
        """Return the names in braces, each with its change of case ("", "lower" or "upper")."""
        return [(name, case or "") for name, case in PLACEHOLDER.findall(template)]


@dataclass(frozen=True)
class Mapping:
    """A named set of rules. `skips` are (header, values): rows with such a value are left out.

    A preset of a bundle has `variants`, one for each of its files; the header of a file decides which one fits.
    """

    name: str
    rules: dict[str, FieldRule] = field(default_factory=dict)
    skips: tuple[tuple[str, tuple[str, ...]], ...] = ()
    variants: tuple["Mapping", ...] = ()

    def rule(self, field_name: str) -> FieldRule:
        """Return the rule of a field; without one, the field comes from the column of its name."""
        return self.rules.get(field_name, FieldRule())

    def headers(self) -> Iterator[str]:
        """Yield every header that the mapping names."""
        for rule in self.rules.values():
            yield from rule.columns
        yield from self.other_headers()

    def other_headers(self) -> Iterator[str]:
        """Yield the headers that the mapping reads besides the column of each field."""
        for rule in self.rules.values():
            if rule.split:
                yield rule.split.header
            for text in (rule.template, rule.default):
                yield from (name for name, _ in FieldRule.placeholders(text or ""))
        yield from (header for header, _ in self.skips)


NO_MAPPING = Mapping("")
