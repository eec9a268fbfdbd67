"""What holds for any bytes: nothing is lost, nothing crashes, and no cut deletes a person who is in the file."""

import csv
import io
import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.plans import ORGS, TIMES, Planned, accounts_file, at_night, examples, plan_bytes, roster_file

from sis_sync.core.errors import ConfigurationError, FileRefused
from sis_sync.core.fields import FIELD_NAMES
from sis_sync.steps.map.mapping import NO_MAPPING

many = examples(10, night=80)
some = examples(5, night=40)

SHOWN = ("action", "custom_id", "fields", "codes")  # of each row, where a plan is written
HEADER = ",".join(FIELD_NAMES).encode()
ROW = b"Ana,,Ruiz,ana@x.example,1001,020,Student,,9,Active"
PEOPLE = [
    {**dict.fromkeys(FIELD_NAMES, ""), "first_name": first, "last_name": last, "email": f"{number}@x.example",
     "custom_id": number, "school_district_external_id": "020", "user_type": "Student", "grade": "9",
     "status": "Active", "state": "live"}
    for number, first, last in (("1001", "Ana", "Ruiz"), ("1002", "José", "Núñez"), ("7", "Zoë", "Cole, Jr."))
]  # fmt: skip
ACCOUNTS = accounts_file(PEOPLE)
FULL_FILE = roster_file([{name: person[name] for name in FIELD_NAMES} for person in PEOPLE])

pieces = st.one_of(
    st.sampled_from(
        [
            *(
                b'"',
                b'""',
                b",",
                b"\n",
                b"\r\n",
                b"\r",
                b"\n\n",
                b"\t",
                b";",
                b"|",
                b"\0",
                b"\xff",
                b"\xe9",
                b"\x81",
                b" ",
            ),
            *("é".encode(), "\u200b".encode(), "\ufeff".encode(), b"\x07", b"a,b", b"1001", b"0", b'"a\nb"', b'"Ana"x'),
            *(HEADER, ROW, b"\n" + ROW + b"\n", ROW.replace(b"Ana", b'"An"'), ROW.replace(b"1001", b"1002") + b",x"),
        ]
    ),
    st.binary(max_size=4),
)
MODES = st.sampled_from(["partial", "full", "students", "staff"])


def assert_every_record_is_accounted_for(plan: Planned, content: bytes) -> None:
    """One action for each record, in the order of the file; each absent account once; written, they are the same."""
    counts = plan.counts
    lines = [line for line in plan.lines if line is not None]
    assert len(lines) == counts.rows == sum(plan.counts.as_dict().values()) - counts.rows - counts.leaving
    assert lines == sorted(set(lines))
    assert all(1 < line <= content.count(b"\n") + 1 for line in lines)
    assert len(plan.lines) == counts.rows + counts.leaving
    for row in plan.rows:
        assert (row["action"] in ("failed", "ignored")) <= bool(row["codes"]), row
    written = list(csv.DictReader(io.StringIO(plan.output.decode(), newline="")))
    assert [int(row["line"]) if row["line"] else None for row in written] == list(plan.lines)
    assert [{name: row[name] for name in SHOWN} for row in written] == [
        {name: row[name] for name in SHOWN} for row in plan.rows
    ]


def plan_or_refusal(content: bytes, mode: str) -> Planned | None:
    try:
        return plan_bytes(content, accounts=ACCOUNTS, mode=mode)
    except FileRefused:
        return None


@many
@given(parts=st.lists(pieces, max_size=12), mode=MODES)
def test_any_bytes_after_header(parts: list[bytes], mode: str) -> None:
    content = HEADER + b"\n" + b"".join(parts)
    plan = plan_or_refusal(content, mode)
    if plan:
        assert_every_record_is_accounted_for(plan, content)


@some
@given(content=st.one_of(st.binary(max_size=200), st.lists(pieces, max_size=10).map(b"".join)), mode=MODES)
def test_any_bytes(content: bytes, mode: str) -> None:
    plan = plan_or_refusal(content, mode)
    if plan:
        assert_every_record_is_accounted_for(plan, content)


@some
@given(parts=st.lists(pieces, max_size=8), mark=st.sampled_from(["utf-16-le", "utf-16-be"]), mode=MODES)
def test_any_bytes_in_utf_16(parts: list[bytes], mark: str, mode: str) -> None:
    text = (HEADER + b"\n" + b"".join(parts)).decode("latin-1")
    plan_or_refusal(("\ufeff" + text).encode(mark) + b"x" * (len(parts) % 2), mode)


@some
@given(
    text=st.one_of(
        st.text(max_size=60),
        st.lists(st.sampled_from(['"', ",", "\n", "\r", "é", "1", "external_id,name\n", "\0"])).map("".join),
    )
)
def test_any_text_as_orgs(text: str) -> None:
    refuse_or_plan(orgs=text.encode("utf-8", "replace").decode())


@some
@given(
    tail=st.lists(st.sampled_from(['"', ",", "\n", "\r", "é", "\0", "1001", "a@x.example,1,020,Student"])).map("".join)
)
def test_any_text_as_accounts(tail: str) -> None:
    refuse_or_plan(accounts=ACCOUNTS + tail)


KINDS = ("column", "constant", "value", "template", "default", "pad", "split", "first", "skip", "extends", "other")
TARGETS = ("", *(f".{name}" for name in FIELD_NAMES), ".email.*", ".grade.", ".grade.9", ".nonsense", ".custom_id")
VALUES = (
    *(
        "{custom_id}",
        "S{custom_id}",
        "{email:upper}x",
        "{",
        "}",
        "{{}}",
        "{Nobody}",
        'email, before "@"',
        "error",
        "keep",
    ),
    *("8", "0", "-1", "65", "custom_id", "oneroster", "m", "|", ",", "email | grade", "'", "%"),
)
mapper_lines = st.builds(
    "mapper.m.{}{}={}".format,
    st.sampled_from(KINDS),
    st.sampled_from(TARGETS),
    st.one_of(st.sampled_from(VALUES), st.text(max_size=12)),
)


@many
@given(lines=st.one_of(st.lists(mapper_lines, min_size=1, max_size=5).map("\n".join), st.text(min_size=1, max_size=60)))
def test_any_text_as_mapping(lines: str) -> None:
    refuse_or_plan(mapping=lines.replace("\r", ""))


def refuse_or_plan(*, accounts: str = "", orgs: str = ORGS, mapping: str = "") -> None:
    """A file may be refused under a strange mapping; anything else is a fault of the setting, and said so."""
    with suppress(ConfigurationError, FileRefused):
        plan_bytes(FULL_FILE, accounts=accounts, orgs=orgs, mapping=mapping or NO_MAPPING)


@pytest.mark.parametrize("start", [*range(0, len(FULL_FILE) + 1, 80), *at_night(*range(40, len(FULL_FILE) + 1, 80))])
def test_cut_keeps_complete_rows(start: int) -> None:
    """Of every prefix: it is refused; or whoever stands in it complete stays, and nobody leaves unnoticed.

    A cut inside a line never plans a deletion that no guard holds. A cut exactly after a line end looks like a
    shorter file; then only the people after the cut leave.
    """
    ends = range(start, min(start + 40, len(FULL_FILE) + 1))
    # In the gate every seventh byte, and every end of a line with its neighbours.
    for end in (end for end in ends if TIMES > 1 or end % 7 == 0 or b"\n" in FULL_FILE[max(end - 2, 0) : end + 1]):
        prefix = FULL_FILE[:end]
        plan = plan_or_refusal(prefix, "full")
        if plan is None:
            continue
        complete = {match.decode() for match in re.findall(rb"@x\.example,(\d+),020,Student,,9,Active", prefix)}
        assert not complete & set(plan.with_action("delete")), prefix
        is_whole_lines = prefix.endswith(b"\n")
        if plan.counts.leaving and not is_whole_lines:
            assert "guard.no_final_newline" in plan.guards, prefix
        if is_whole_lines:
            assert set(plan.with_action("delete")) == {person["custom_id"] for person in PEOPLE} - complete
