"""After a full file was applied once, no prefix of it deletes anybody unless a guard holds the run."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from kit.plans import IS_THOROUGH, TIMES, Place, at_night, place, roster_file, table

from sis_sync.core.errors import FileRefused
from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.guards import History

SWEPT_BYTES = 4096  # a file up to this size is cut throughout, a larger one at some bytes
PLANNED: dict[str, str] = {}  # outcomes by the digest of all that planning reads
Person = dict[str, str]


def cuts_of(content: bytes, step: int = 1) -> Sequence[int]:
    """Every `step` bytes and every line end; of a larger file some line ends, the last ones, and other bytes."""
    ends = [place + 1 for place, byte in enumerate(content) if byte == ord("\n")]
    if len(content) <= SWEPT_BYTES or IS_THOROUGH:
        return sorted({*range(0, len(content), step), *(end for end in ends if end < len(content))})
    return [*ends[1:-7:24], *ends[-7:-1], *range(200, len(content), 1733)]


def assert_no_cut_deletes(at: Place, content: bytes, step: int = 1) -> None:
    """In the gate, cut a small file at every `step` bytes; in the night lane at every byte."""
    history = at.apply(content)
    whole, hits = at.plan(content, history=history)
    assert whole.counts.leaving == whole.counts.create == whole.counts.update == 0
    assert not [hit.code for hit in hits if hit.code != "guard.failed_rows"]
    outcomes = {cut: outcome(at, content[:cut], history) for cut in cuts_of(content, step if TIMES == 1 else 1)}
    assert [cut for cut, found in outcomes.items() if found == "deletes"] == []
    assert {"refused", "held"} <= set(outcomes.values())


def outcome(at: Place, prefix: bytes, history: History) -> str:
    """Read the prefix, and plan it unless another prefix read to the same records over the same directory."""
    try:
        roster = at.map(prefix, history=history)
    except FileRefused:
        return "refused"
    digest = at.digest(roster)
    if digest not in PLANNED:
        plan, hits = at.plan_mapped(roster, history=history)
        PLANNED[digest] = "held" if hits else "deletes" if plan.counts.leaving else "harmless"
    return PLANNED[digest]


def person(number: int, **values: str) -> Person:
    row = {"first_name": "Ana", "last_name": "Núñez", "email": f"{number}@x.example", "custom_id": str(number)}
    rest = {"school_district_external_id": "020", "user_type": "Student", "grade": "9", "status": "Active"}
    return {**dict.fromkeys(FIELD_NAMES, ""), **row, **rest, **values}


def quoted(people: Sequence[Person]) -> bytes:
    rows = [FIELD_NAMES, *([each[name] for name in FIELD_NAMES] for each in people)]
    return "".join(",".join(f'"{cell}"' for cell in row) + "\r\n" for row in rows).encode()


# IDs that begin like one another, cells with line breaks, rows that fail, repeat others or have no ID.
PEOPLE = [
    *(person(number) for number in (1, 12, 123, 1234)),
    *(person(7, last_name="Cole, Jr.\nof the hill\n"), person(8, grade="99"), person(12), person(9, custom_id="")),
    *(person(70, last_name='O"Hara'), person(71, first_name="Zoë", middle_name="1\n2"), person(10, grade="99")),
]
FEW = [person(number, first_name="Ana\nMaria" if number == 34 else "Ana") for number in (3, 34, 345, 4, 5)]
NOTED = [{**each, "note": "left, right"} for each in FEW]
PLAIN = roster_file(PEOPLE).decode()
WRITTEN = {
    "utf-8": PLAIN.encode(),
    "crlf and mark": PLAIN.replace("\n", "\r\n").encode("utf-8-sig"),
    "windows-1252": PLAIN.encode("cp1252"),
    "utf-16": PLAIN.encode("utf-16"),
    "no last line end": PLAIN.rstrip("\n").encode(),
    "semicolons": roster_file(PEOPLE[:4]).replace(b",", b";"),
    "the id last": table(reversed(FIELD_NAMES), FEW).encode(),
    "an ignored column behind the last": table(
        (*FIELD_NAMES, "note"), [{**each, "note": "left, right"} for each in FEW]
    ).encode(),
    "every cell quoted": quoted(FEW),
    "stray quotes": PLAIN.replace("Zoë", 'Zo"ë').encode(),
}


# The others are the same people in other bytes.
MANY_CUTS = {"utf-8", "the id last"}
IN_THE_GATE = ("the id last", "stray quotes")


# In one process: four of the fixtures are the same records in other bytes.
@pytest.mark.xdist_group("prefixes")
@pytest.mark.parametrize("name", [*IN_THE_GATE, *at_night(*sorted(WRITTEN.keys() - {*IN_THE_GATE}))])
def test_no_prefix_deletes_unnoticed(name: str, tmp_path: Path) -> None:
    with place(tmp_path) as at:
        assert_no_cut_deletes(at, WRITTEN[name], step=7 if name in MANY_CUTS else 17)


@pytest.mark.parametrize("mode", ["students", *at_night("staff")])
def test_no_prefix_in_narrow_modes(mode: str, tmp_path: Path) -> None:
    user_type = "Student" if mode == "students" else "Teacher"
    people = [person(number, user_type=user_type, grade="") for number in (5, 50, 6, 7)]
    with place(tmp_path, mode) as at:
        assert_no_cut_deletes(at, roster_file([*people, person(8, user_type="Nobody")]), step=13)


@pytest.mark.night
def test_no_prefix_through_a_mapping(tmp_path: Path) -> None:
    mapping = "mapper.m.pad.custom_id=5\nmapper.m.skip.middle_name=out\n"
    people = [*PEOPLE[:6], person(300, middle_name="out"), person(301)]
    with place(tmp_path, mapping=mapping) as at:
        assert_no_cut_deletes(at, roster_file(people), step=17)


@pytest.mark.night
def test_no_prefix_of_larger_file(tmp_path: Path) -> None:
    content = roster_file(person(number) for number in range(1, 120))
    assert len(content) > SWEPT_BYTES
    with place(tmp_path) as at:
        assert_no_cut_deletes(at, content)


def test_cut_without_absence_rule(tmp_path: Path) -> None:
    with place(tmp_path) as at:
        content = roster_file(person(number) for number in range(1, 12))
        history = replace(at.apply(content), had_deleting_sync=False)
        half = content[: content.index(b"\n", len(content) // 2) + 1]
        plan, hits = at.plan(half, history=history, on_absent="nothing")
        assert (plan.counts.leaving, hits) == (0, [])
