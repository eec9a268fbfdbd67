"""Measure `mapper suggest` on header rows of real systems: which fields it finds, as a line or as a comment.

The folder has the exports and `expected.csv`, whose form tests/data/headers/README.md explains. Exit with 1 if a line
that counts is wrong, or if fewer than 85 % of the fields that are there are found.
"""

import csv
import functools
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.steps.map.columns import Columns, can_fill, comparable, find_columns
from sis_sync.steps.map.mapper_lines import parse_mapping
from sis_sync.steps.map.mapping import NO_MAPPING, FieldRule, Mapping
from sis_sync.steps.map.suggest.sample import read_sample
from sis_sync.steps.map.suggest.suggestion import suggest

MIN_SHARE = 0.85
HEADERS = Path(__file__).parents[1] / "tests" / "data" / "headers"
NAME = "mapper.suggested."
FOUND, COMMENT, WRONG, OPEN, ABSENT = "found", "comment", "wrong", "open", "absent"
KEEP = "keep"


@dataclass(frozen=True)
class Expected:
    """What is right for one field of one file. `column` has the alternatives, empty if the export has no such field."""

    name: str
    column: tuple[str, ...]
    is_risky: bool


@dataclass
class Measured:
    """The result for one file: fields by verdict, and what was wrong or missed."""

    file: str
    preset: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def count(self, verdict: str) -> int:
        """Return the number of fields with this verdict."""
        return list(self.fields.values()).count(verdict)


@dataclass(frozen=True)
class Lines:
    """The lines of a suggestion for a file: those that count, and comments that a person may switch on."""

    header: tuple[str, ...]
    live: list[str]
    comments: list[str]

    @functools.cached_property
    def mapping(self) -> Mapping:
        """Return the mapping of the lines that count."""
        return parse_mapping("\n".join(self.live)) if self.live else NO_MAPPING

    def own_kinds(self, name: str) -> set[str]:
        """Return the kinds of the lines for a field that count and do not come from a preset."""
        parts = (line.removeprefix(NAME).partition("=")[0].split(".") for line in self.live)
        return {kind for kind, *rest in parts if rest[:1] == [name]}


def measure(folder: Path) -> list[Measured]:
    """Return the results for each file of the folder that `expected.csv` names."""
    with (folder / "expected.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    files = dict.fromkeys(row["file"] for row in rows)
    return [measure_file(folder / name, [_expected(row) for row in rows if row["file"] == name]) for name in files]


def measure_file(path: Path, expected: list[Expected]) -> Measured:
    """Return the verdict on each field of one file."""
    sample = read_sample(path)
    text = [line for line in suggest(sample).lines() if line]
    comments = [line.removeprefix("#") for line in text if line.startswith(f"#{NAME}")]
    lines = Lines(tuple(sample.header), [line for line in text if not line.startswith("#")], comments)
    measured = Measured(path.name, next((line.partition("=")[2] for line in lines.live if ".extends=" in line), ""))
    for each in expected:
        verdict = _verdict(each, lines, measured.preset)
        measured.fields[each.name] = verdict
        if verdict in (WRONG, OPEN):
            measured.faults.append(
                f"{path.name}: {each.name} is {verdict}, right is {' | '.join(each.column) or 'nothing'}"
            )
    return measured


def _expected(row: dict[str, str]) -> Expected:
    column = tuple(part.strip() for part in row["column"].split(" | ") if part.strip())
    return Expected(row["field"], column, row["risky"] == "yes")


def _verdict(expected: Expected, lines: Lines, preset: str) -> str:
    if expected.name == "extends":
        return _of_preset(expected, preset)
    if expected.name.startswith("value."):
        return _of_value(expected, lines)
    columns = find_columns(lines.header, lines.mapping)
    live = list(_answers(expected.name, lines.mapping, columns))
    if live and live[0] != KEEP:
        return FOUND if _is_right_live(expected, live[0], lines) else WRONG
    for comment in lines.comments:
        mapping = parse_mapping(comment) if not comment.endswith("=") or ".keep." in comment else NO_MAPPING
        answers = _answers(expected.name, mapping, find_columns(lines.header, mapping), only_lines=True)
        if any(_is_right(expected, answer) for answer in answers):
            return COMMENT
    return OPEN if expected.column else ABSENT


def _of_preset(expected: Expected, preset: str) -> str:
    if expected.column == ("none",):
        return WRONG if preset else FOUND
    if not preset:
        return OPEN
    return FOUND if any(word in preset for word in expected.column) else WRONG


def _of_value(expected: Expected, lines: Lines) -> str:
    wanted = {f"{NAME}{expected.name}={value}" for value in expected.column}
    is_live = any(line.startswith(f"{NAME}{expected.name}=") for line in lines.live)
    is_negative = expected.name.startswith("value.grade.-")
    if is_live:
        return FOUND if wanted & {*lines.live} and not is_negative else WRONG
    return COMMENT if wanted & {*lines.comments} else OPEN


def _answers(name: str, mapping: Mapping, columns: Columns, *, only_lines: bool = False) -> Iterator[str]:
    """Yield what a mapping reads for a field, in the words of `expected.csv`; the first is the one that counts."""
    rule = mapping.rule(name)
    if only_lines and rule == FieldRule() and not (name == "status" and mapping.dates.headers()):
        return
    if name == "status" and mapping.dates.headers():
        yield from (f"dates {header}" for header in mapping.dates.headers())
    if rule.template is not None and can_fill(rule.template, columns, mapping):
        yield from (f"template {each.name}" for each in FieldRule.placeholders(rule.template))
    if rule.split is not None and columns.position_of(rule.split.header) is not None:
        yield f"split {rule.split.header}"
    if name in columns.of_field:
        yield columns.header[columns.of_field[name]]
    elif rule.constant is not None:
        yield f"constant {rule.constant}".strip()
    if rule.keep:
        yield KEEP


def _is_right_live(expected: Expected, answer: str, lines: Lines) -> bool:
    if expected.is_risky:
        return False  # what is right waits as a comment
    if not expected.column:
        return answer.startswith("constant") and "constant" not in lines.own_kinds(expected.name)
    if answer.startswith("constant") and "constant" in lines.own_kinds(expected.name):
        return False
    answers = _answers(expected.name, lines.mapping, find_columns(lines.header, lines.mapping))
    return any(_is_right(expected, each) for each in answers)


def _is_right(expected: Expected, answer: str) -> bool:
    right = {comparable(each) for each in expected.column}
    return comparable(answer) in right or comparable(answer.removeprefix("template ")) in right


def table(results: list[Measured]) -> str:
    """Return the Markdown table of the docs."""
    rows = [
        "| Header row | Preset | Found | As a comment | Wrong | Left open | Not in it |",
        "|---|---|---|---|---|---|---|",
    ]
    for each in results:
        verdicts = [verdict for name, verdict in each.fields.items() if name in FIELD_NAMES]
        counts = [verdicts.count(verdict) for verdict in (FOUND, COMMENT, WRONG, OPEN, ABSENT)]
        preset = f"`{each.preset}`" if each.preset else ""
        rows.append(f"| {each.file} | {preset} | {' | '.join(map(str, counts))} |")
    return "\n".join(rows)


def main() -> int:
    """Print the table, the faults and the share of the fields found."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HEADERS
    results = measure(folder)
    faults = [fault for each in results for fault in each.faults]
    found, wrong, missed = (
        sum(each.count(verdict) for each in results for verdict in verdicts)
        for verdicts in ((FOUND, COMMENT), (WRONG,), (OPEN,))
    )
    there = found + wrong + missed
    print("\n".join([table(results), "", *faults, f"{found} of {there} found, {wrong} wrong"]))
    return int(wrong > 0 or found < MIN_SHARE * there)


if __name__ == "__main__":
    sys.exit(main())
