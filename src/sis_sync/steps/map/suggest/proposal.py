"""One proposed line for a field, with its reason, and how headers and cells are written in it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sis_sync.steps.map.mapping import FieldRule


@dataclass(frozen=True)
class Proposal:
    """A mapper line for a field (`key` without `mapper.NAME.`), and the reason. `is_open`: a person has to decide.

    `header` is the column that the line reads, None if it reads none. `others` are lines that would fit instead; they
    make the proposal an open one. `also` are lines that go with it.
    """

    field: str
    header: str | None
    reason: str
    key: str
    value: str
    is_open: bool = False
    others: tuple[tuple[str, str], ...] = ()
    also: tuple[tuple[str, str], ...] = ()

    def lines(self, prefix: str) -> Iterator[str]:
        """Yield the reason as a comment, then the lines; a line that a person has to decide is a comment, too."""
        which = "one of the next lines" if self.others else "the next lines" if self.also else "the next line"
        advice = f" Check this, and remove the # from {which}:" if self.is_open else ""
        yield f"# {self.field}: {' '.join(self.reason.split())}.{advice}"
        for key, value in ((self.key, self.value), *self.also, *self.others):
            yield f"{'#' if self.is_open else ''}{prefix}{key}={value}"


def column(field: str, names: Sequence[str], reason: str, *, is_open: bool = False) -> Proposal:
    """Propose a column, and the other columns that would fit."""
    others = tuple((f"column.{field}", shown(name)) for name in names[1:4])
    if others:
        reason += "; " + ", ".join(f'"{value}"' for _, value in others) + " would fit as well"
    return Proposal(field, names[0], reason, f"column.{field}", shown(names[0]), is_open or bool(others), others)


def opened(proposal: Proposal, why: str) -> Proposal:
    """Return the proposal as one that a person has to decide."""
    return replace(proposal, reason=f"{proposal.reason}; {why}" if why else proposal.reason, is_open=True)


def shown(header: str) -> str:
    """Return a header as a line writes it: a line break inside it is a blank."""
    return " ".join(header.split())


def shape(value: str) -> str:
    """Return the form of a value without the value: a for letters, 9 for digits."""
    formed = re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", value[:40]))
    return re.sub(r"a{4,}", "aaa…", formed)


def is_template_of(template: str, name: str) -> bool:
    """Return True if the header can stand in braces."""
    return [each.name for each in FieldRule.placeholders(template)] == [shown(name)]
