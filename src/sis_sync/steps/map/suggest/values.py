"""Propose lines for values of user_type, grade and status that are not listed, and for rows of parents."""

from collections import Counter
from collections.abc import Collection, Iterator

from sis_sync.core.did_you_mean import guess_listed, known_meaning
from sis_sync.core.fields import LISTED_VALUES
from sis_sync.steps.map.columns import comparable, find_columns
from sis_sync.steps.map.field_lines import folded
from sis_sync.steps.map.mapping import Mapping
from sis_sync.steps.map.suggest.by_content import are_flags, is_signed
from sis_sync.steps.map.suggest.proposal import Proposal, opened, shape, shown
from sis_sync.steps.map.suggest.sample import Sample

_MAX_SHOWN = 20
_MOST_DIFFERENT = 0.5  # of the cells: above it, the values are personal data, which no proposal prints
_SHAPES_SHOWN = 3
_MOST_OF_A_CODE = 2  # letters: NE means no in a column with ANO, and something else elsewhere
_BEFORE_KINDERGARTEN = "PreK"
_POWERFUL = "Administrator"  # a guess makes no one an administrator
_NO_ACCOUNTS = frozenset(("parent", "guardian", "relative", "observer", "contact"))


def propose_values(sample: Sample, mapping: Mapping, unsure: Collection[str] = ()) -> Iterator[Proposal]:
    """Yield the value and skip lines that this mapping still needs for the records of the sample.

    The lines of a field whose column is unsure are open: a person decides them.
    """
    columns = find_columns(sample.header, mapping)
    for field in LISTED_VALUES:
        if field in columns.of_field and mapping.rule(field).template is None:
            for each in _of_field(field, sample.header[columns.of_field[field]], sample, mapping):
                yield opened(each, "") if field in unsure else each


def _of_field(field: str, header: str, sample: Sample, mapping: Mapping) -> Iterator[Proposal]:
    rule = mapping.rule(field)
    cells = [cell.split(rule.first)[0].strip() if rule.first else cell for cell in sample.cells(header)]
    known = {folded(value) for value in LISTED_VALUES[field]} | rule.values.keys() | _skipped(header, mapping)
    counts = Counter(cell for cell in cells if folded(cell) not in known and _is_writable(cell))
    others = [value for value in counts if field == "user_type" and folded(value) in _NO_ACCOUNTS]
    if others and "=" not in header:
        reason = "content: these people get no account"
        yield Proposal(field, header, reason, f"skip.{shown(header)}", " | ".join(others))
    unknown = [value for value, _ in counts.most_common() if value not in others and (value or field != "grade")]
    if len(unknown) > _MAX_SHOWN and len(unknown) > _MOST_DIFFERENT * len(cells):
        forms = ", ".join(dict.fromkeys(map(shape, unknown[:_SHAPES_SHOWN])))
        reason = f"content: most records have a value of their own (in the form {forms}), so they are not from a list"
        yield Proposal(field, header, reason, f"value.{field}.*", "error", is_open=True)
        return
    for value in unknown[:_MAX_SHOWN]:
        proposal = _value(field, header, value, f"{counts[value]:,} of {len(cells):,} records")
        is_code = field != "grade" and len(value) <= _MOST_OF_A_CODE and not are_flags(cells)
        yield opened(proposal, "") if is_code and not proposal.is_open else proposal
    if unknown[_MAX_SHOWN:]:
        reason = (
            f"content: {len(unknown) - _MAX_SHOWN:,} more values are not in the list. With this line, their rows fail"
        )
        yield Proposal(field, header, reason, f"value.{field}.*", "error", is_open=True)


def _skipped(header: str, mapping: Mapping) -> set[str]:
    """Return the values of this column, folded, whose rows the mapping leaves out."""
    return {value for name, values in mapping.skips if comparable(name) == comparable(header) for value in values}


def _is_writable(value: str) -> bool:
    return not set(value) & set("=|\r\n") and value != "*"


def _value(field: str, header: str, value: str, share: str) -> Proposal:
    if field == "grade" and is_signed(value):
        reason = (
            f'content: "{value}" ({share}) has a sign, so it is not grade {value[1:]}. Each district has its own codes'
        )
        return Proposal(field, header, reason, f"value.{field}.{value}", _BEFORE_KINDERGARTEN, is_open=True)
    seen = f'"{value}"' if value else "an empty cell"
    reason = f"content: {seen} ({share}) is not in the list"
    meaning = known_meaning(field, value) if value else ""
    guess = meaning or guess_listed(field, value)
    is_flag = field != "grade" and (len(value) < 2 or value.isdigit())  # 0 is active in one SIS, disabled in another
    is_open = not meaning or is_flag or guess == _POWERFUL
    return Proposal(field, header, reason, f"value.{field}.{value}", guess, is_open=is_open)
