"""After a full file was applied once, no prefix of it deletes anybody unless a guard holds the run."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from steps.planning import ORGS, accounts_file, roster_file

from sis_sync.core.errors import FileRefused
from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.guards import GuardHit, GuardLimits
from sis_sync.core.history import History
from sis_sync.core.modes import MODES, OnAbsent
from sis_sync.engine.session import Session, open_session
from sis_sync.formats.mapping import NO_MAPPING, Mapping, parse_mapping
from sis_sync.steps.directory import load_directory
from sis_sync.steps.guard import guard
from sis_sync.steps.map import map_records
from sis_sync.steps.plan import Plan, make_plan, save_plan
from sis_sync.steps.read import read
from sis_sync.steps.validate import validate

CUTS = 10  # beside those at line ends; 5000 sweeps every byte
Person = dict[str, str]


@dataclass(frozen=True)
class Place:
    """A session that plans many files against one directory."""

    session: Session
    folder: Path
    mode: str
    mapping: Mapping

    def plan(self, content: bytes, *, history: History, on_absent: OnAbsent = "delete") -> tuple[Plan, list[GuardHit]]:
        forget(self.session)
        (self.folder / "roster.csv").write_bytes(content)
        mode = MODES[self.mode]
        records = read(self.session, self.folder / "roster.csv", mode=mode, mapping=self.mapping)
        roster = map_records(self.session, records)
        files = {"orgs": self.folder / "orgs.csv", "accounts": self.folder / "accounts.csv"}
        judged = validate(self.session, roster, load_directory(self.session, **files), mode)
        plan = make_plan(self.session, judged, on_absent=on_absent)
        return plan, list(guard(self.session, plan, GuardLimits(), history))

    def apply(self, content: bytes) -> History:
        """Make the directory what the file says; what the next run knows of this one."""
        plan, _ = self.plan(content, history=History())
        path = self.folder / "plan.parquet"
        path.unlink(missing_ok=True)
        save_plan(self.session, plan, path)
        names = ", ".join(FIELD_NAMES)
        query = f"SELECT {names} FROM read_parquet(:path) WHERE action IN ('create', 'update', 'restore', 'unchanged')"
        rows = self.session.rows(query, path=str(path))
        people = [{**dict(zip(FIELD_NAMES, row, strict=True)), "state": "live"} for row in rows]
        (self.folder / "accounts.csv").write_text(accounts_file(people), encoding="utf-8", newline="")
        return History(path, plan.counts.rows, had_deleting_sync=True)


def forget(session: Session) -> None:
    """Drop what the plan before left in the session."""
    for kind, source in (("VIEW", "duckdb_views()"), ("TABLE", "duckdb_tables()")):
        name = f"{kind.lower()}_name"
        for (found,) in session.rows(f"SELECT {name} FROM {source} WHERE temporary AND NOT internal"):
            session.run(f'DROP {kind} "{found}"')


@contextmanager
def place(folder: Path, mode: str = "full", mapping: str = "") -> Iterator[Place]:
    (folder / "orgs.csv").write_text(ORGS, encoding="utf-8")
    (folder / "accounts.csv").write_text(accounts_file([]), encoding="utf-8")
    with open_session(threads=1) as session:
        yield Place(session, folder, mode, parse_mapping(mapping) if mapping else NO_MAPPING)


def cuts_of(content: bytes) -> list[int]:
    """Every line end, the bytes beside it, and others spread over the file."""
    ends = [place for place in range(len(content) + 1) if content[place - 1 : place] == b"\n"]
    beside = [place + step for place in ends for step in (-1, 0)]
    spread = range(0, len(content) + 1, max(1, len(content) // CUTS))
    return sorted({place for place in (*beside, *spread) if 0 <= place <= len(content)})


def assert_no_cut_deletes(at: Place, content: bytes, cuts: Sequence[int] = ()) -> None:
    history = at.apply(content)
    whole, hits = at.plan(content, history=history)
    assert whole.counts.leaving == whole.counts.create == whole.counts.update == 0
    assert not [hit.code for hit in hits if hit.code != "guard.failed_rows"]
    for cut in cuts or cuts_of(content):
        try:
            plan, hits = at.plan(content[:cut], history=history)
        except FileRefused:
            continue
        assert hits or not plan.counts.leaving, content[:cut]


def person(number: int, **values: str) -> Person:
    row = {"first_name": "Ana", "last_name": "Núñez", "email": f"{number}@x.example", "custom_id": str(number)}
    rest = {"school_district_external_id": "020", "user_type": "Student", "grade": "9", "status": "Active"}
    return {**dict.fromkeys(FIELD_NAMES, ""), **row, **rest, **values}


# IDs that begin like one another, cells with line breaks, rows that fail, repeat others or have no ID.
PEOPLE = [
    *(person(number) for number in (1, 12, 123, 1234)),
    *(person(7, last_name="Cole, Jr.\nof the hill\n"), person(8, grade="99"), person(12), person(9, custom_id="")),
    *(person(70, last_name='O"Hara'), person(71, first_name="Zoë", middle_name="1\n2"), person(10, grade="99")),
]
PLAIN = roster_file(PEOPLE).decode()
WRITTEN = {
    "utf-8": PLAIN.encode(),
    "crlf and mark": PLAIN.replace("\n", "\r\n").encode("utf-8-sig"),
    "windows-1252": PLAIN.encode("cp1252"),
    "utf-16": PLAIN.encode("utf-16"),
    "no last line end": PLAIN.rstrip("\n").encode(),
    "semicolons": roster_file(PEOPLE[:4]).replace(b",", b";"),
    "stray quotes": PLAIN.replace("Zoë", 'Zo"ë').encode(),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_no_prefix_of_an_applied_file_deletes_unnoticed(name: str, tmp_path: Path) -> None:
    with place(tmp_path) as at:
        assert_no_cut_deletes(at, WRITTEN[name])


@pytest.mark.parametrize("mode", ["students", "staff"])
def test_no_prefix_in_the_modes_of_one_type(mode: str, tmp_path: Path) -> None:
    user_type = "Student" if mode == "students" else "Teacher"
    people = [person(number, user_type=user_type, grade="") for number in (5, 50, 6, 7)]
    with place(tmp_path, mode) as at:
        assert_no_cut_deletes(at, roster_file([*people, person(8, user_type="Nobody")]))


def test_no_prefix_through_a_mapping(tmp_path: Path) -> None:
    mapping = "mapper.m.pad.custom_id=5\nmapper.m.skip.middle_name=out\n"
    people = [*PEOPLE[:6], person(300, middle_name="out"), person(301)]
    with place(tmp_path, mapping=mapping) as at:
        assert_no_cut_deletes(at, roster_file(people))


def test_no_prefix_of_a_larger_file(tmp_path: Path) -> None:
    content = roster_file(person(number) for number in range(1, 120))
    ends = [place + 1 for place, byte in enumerate(content) if byte == ord("\n")]
    with place(tmp_path) as at:
        assert_no_cut_deletes(at, content, [*ends[1:-7:24], *ends[-7:], *range(200, len(content), 1733)])


def test_a_cut_deletes_nobody_where_absence_means_nothing(tmp_path: Path) -> None:
    with place(tmp_path) as at:
        content = roster_file(person(number) for number in range(1, 12))
        history = replace(at.apply(content), had_deleting_sync=False)
        half = content[: content.index(b"\n", len(content) // 2) + 1]
        plan, hits = at.plan(half, history=history, on_absent="nothing")
        assert (plan.counts.leaving, hits) == (0, [])
