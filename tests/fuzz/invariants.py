"""The rules that hold for every input, from its bytes to the stored plan."""

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise, zip_longest

from fuzz.inputs import Input
from fuzz.programs import ask_command_line, read_mapping, read_settings
from kit.plans import Planned, accounts_file, applied, plan_bytes

from sis_sync.core.errors import SisSyncError

REPLACEMENT = "\ufffd"
CHANGES = ("create", "update", "restore", "delete")
# A lone CR ends a line only in a file in which most lines end so.
LINE_ENDS = (re.compile(r"(?<=\n)"), re.compile(r"(?<=\n)|(?<=\r)(?!\r?\n)"))


class Broken(AssertionError):
    """An invariant that does not hold."""


def examine(made: Input, *, thoroughly: bool = False) -> str:
    """`planned`, or the name of the error of ours that refused it. Anything else that is raised is a find.

    `thoroughly` plans it again, applies it to a model and plans once more, and asks the command line too.
    """
    read_settings(made.settings)
    if thoroughly:
        ask_command_line(made)
    try:
        plan = _plan(made, made.accounts)
    except SisSyncError as error:
        return type(error).__name__
    _is_complete(plan, made.roster)
    _has_its_lines(plan, made)
    if thoroughly:
        _is_the_same_again(plan, _plan(made, made.accounts))
        _changes_nothing_when_applied(plan, made)
    return "planned"


def _plan(made: Input, accounts: bytes) -> Planned:
    mapping = read_mapping(made.mapping)
    return plan_bytes(made.roster, accounts=accounts, orgs=made.orgs, mode=made.mode, mapping=mapping)


def _must(holds: bool, what: str) -> None:
    if not holds:
        raise Broken(what)


def _is_complete(plan: Planned, roster: bytes) -> None:
    """Every record has one action, in the order of the file; each absent account one."""
    counts = plan.counts
    lines = [line for line in plan.lines if line is not None]
    actions = sum(counts.as_dict().values()) - counts.rows
    _must(len(lines) == counts.rows, "a record without a line")
    _must(actions == counts.rows + counts.leaving, "the counts do not add up")
    _must(len(plan.rows) == actions, "rows and counts differ")
    _must(all(one < other for one, other in pairwise(lines)), "the lines do not increase")
    written = list(csv.reader(io.StringIO(plan.output.decode("utf-8"), newline="")))
    _must(len(written) == len(plan.rows) + 1, "the plan that was written has another number of records")
    if not _may_hold_replacement(roster):
        _must(REPLACEMENT not in plan.output.decode("utf-8"), "a replacement character that was not in the file")


def _has_its_lines(plan: Planned, made: Input) -> None:
    """Each record is on a line of the file, and its ID is between that line and the line of the next record."""
    mapping = read_mapping(made.mapping)
    mark = made.roster.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = made.roster.decode("utf-16" if mark else mapping.reading.encoding or "latin-1", "replace")
    rows = [(line, row["custom_id"]) for line, row in zip(plan.lines, plan.rows, strict=True) if line is not None]
    files = [pattern.split(text) for pattern in LINE_ENDS]
    _must(any(_are_on(rows, lines, has_ids=not made.mapping) for lines in files), "a record is not on its line")


def _are_on(rows: Sequence[tuple[int, str]], lines: list[str], *, has_ids: bool) -> bool:
    for (line, custom_id), following in zip_longest(rows, rows[1:]):
        if not 1 <= line <= len(lines):
            return False
        record = unicodedata.normalize("NFC", "".join(lines[line - 1 : following[0] - 1 if following else None]))
        is_plain = has_ids and custom_id.isascii() and custom_id.isalnum()
        if is_plain and custom_id not in record:
            return False
    return True


def _may_hold_replacement(roster: bytes) -> bool:
    return REPLACEMENT.encode() in roster or b"\xfd\xff" in roster or b"\xff\xfd" in roster


def _is_the_same_again(plan: Planned, again: Planned) -> None:
    _must(plan.output == again.output, "planned again, the output differs")
    _must(plan.digest == again.digest, "planned again, the digest differs")


def _changes_nothing_when_applied(plan: Planned, made: Input) -> None:
    if not made.accounts.startswith(accounts_file([]).rstrip("\n").encode()):
        return  # a damaged accounts file may name its columns in another order
    before = list(csv.DictReader(io.StringIO(made.accounts.decode("utf-8"), newline="")))
    again = _plan(made, accounts_file(applied(before, plan)).encode())
    changed = [row["action"] for row in again.rows if row["action"] in CHANGES]
    _must(not changed, f"applied and planned again, it still plans {sorted(set(changed))}")
