"""A mapping: the rules that turn another export into our fields. `mapper_lines.py` reads them from text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from sis_sync.core.reading_options import NOTHING_SAID, ReadingOptions

PLACEHOLDER = re.compile(r"\{([^{}:]+)((?::[^{}:]*)*)\}")
JUDGED_BY_LIST = ("user_type", "grade", "status", "school_district_external_id")


class Placeholder(NamedTuple):
    """A `{name:word:word}` of a template. The words change the value one after the other (see field_lines.py)."""

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Split:
    """One part of a column: the text before or after the first separator."""

    header: str
    side: str
    separator: str


@dataclass(frozen=True)
class FieldRule:
    """How to make one field.

    The order: column or constant, first, split, decode, template or default, value, pad, create, keep. If `create` or
    `keep` supplies the field, an account that exists keeps its value.
    """

    columns: tuple[str, ...] = ()
    constant: str | None = None
    first: str | None = None
    split: Split | None = None
    decodes_html: bool = False
    template: str | None = None
    default: str | None = None
    values: dict[str, str] = field(default_factory=dict)
    rest: str = "keep"
    pad: int | None = None
    create: str | None = None
    keep: bool = False

    @staticmethod
    def placeholders(template: str) -> list[Placeholder]:
        """Return the names in braces, each with its words."""
        return [Placeholder(name, tuple(words.split(":")[1:])) for name, words in PLACEHOLDER.findall(template)]


@dataclass(frozen=True)
class Dates:
    """The columns with the first and the last day of each person, and how to read a day. Together they make the status.

    Empty headers: no such column. `grace` and `early` are days after the last and before the first.
    """

    first_day: str = ""
    last_day: str = ""
    format: str = "YYYY-MM-DD"
    grace: int = 0
    early: int = 0

    def headers(self) -> tuple[str, ...]:
        """Return the headers that make the status; none if no line says so."""
        return tuple(header for header in (self.first_day, self.last_day) if header)


@dataclass(frozen=True)
class Choice:
    """The column that decides which of several rows of one person counts: one of `values`, or the latest day."""

    header: str
    values: tuple[str, ...] = ()

    @property
    def is_latest(self) -> bool:
        """True if the row with the latest day counts."""
        return not self.values


@dataclass(frozen=True)
class Mapping:
    """A named set of rules. `skips` are (header, values): rows with such a value are left out.

    `numbers_addresses`: a made address that another person has gets a number. A preset of a bundle has `variants`, one
    for each of its files; the header of a file decides which one fits. `reading` is what the mapping says about the
    bytes of a file. A variant is chosen after the bytes were read, so only the `reading` of the whole bundle counts.
    """

    name: str
    rules: dict[str, FieldRule] = field(default_factory=dict)
    skips: tuple[tuple[str, tuple[str, ...]], ...] = ()
    dates: Dates = Dates()
    choice: Choice | None = None
    numbers_addresses: bool = False
    variants: tuple["Mapping", ...] = ()
    reading: ReadingOptions = NOTHING_SAID

    @property
    def patterns(self) -> int:
        """The number of values with `*` that each row is compared with; in a bundle, the most of one of its files."""
        values = [*(self.choice.values if self.choice else ()), *(each for _, values in self.skips for each in values)]
        return max([sum("*" in value for value in values), *(variant.patterns for variant in self.variants)])

    @property
    def template_size(self) -> tuple[int, int]:
        """The number of names in braces in the templates of all fields, and of their words; in a bundle, the most."""
        texts = [text for rule in self.rules.values() for text in (rule.template, rule.default, rule.create) if text]
        found = [placeholder for text in texts for placeholder in FieldRule.placeholders(text)]
        sizes = [(len(found), sum(len(words) for _, words in found))]
        sizes += [variant.template_size for variant in self.variants]
        return max(names for names, _ in sizes), max(words for _, words in sizes)

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
            for text in (rule.template, rule.default, rule.create):
                yield from (placeholder.name for placeholder in FieldRule.placeholders(text or ""))
        yield from (header for header, _ in self.skips)
        yield from self.dates.headers()
        if self.choice:
            yield self.choice.header


NO_MAPPING = Mapping("")
