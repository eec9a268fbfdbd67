"""A file that is kept without some of its columns gives the same plan again, and the columns are gone."""

import csv
import io
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.plans import accounts_file, examples, person

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.modes import FULL
from sis_sync.engine.duckdb import open_session
from sis_sync.steps.map.mapper_lines import parse_mapping
from sis_sync.steps.map.mapping import NO_MAPPING, Mapping
from sis_sync.steps.pipeline import PlanInput, plan_file
from sis_sync.steps.plan.plan import save_plan
from sis_sync.steps.read.keep import keep_what_counts
from sis_sync.steps.report import write_failed_rows, write_results
from sis_sync.steps.validate.messages import FindingGroup, group_findings

SECRET, PRIVATE = "Grey-harbour-12", "5550199"
GOOD = person("S1")
ACCOUNTS = accounts_file([{**person(f"S{number}"), "state": "live"} for number in range(6)])


@dataclass(frozen=True)
class Outcome:
    facts: object
    files: tuple[bytes, ...]
    groups: tuple[FindingGroup, ...]
    hits: object
    lines_with_password: tuple[tuple[int], ...]


def planned(folder: Path, mapping: Mapping, *, lines: tuple[int, ...] = ()) -> Outcome:
    """The outcome of the stored file, which is then kept without some columns."""
    file, reading = folder / "people.csv", folder / "reading"
    kept = dict.fromkeys(lines, "Grey-harbour-12")
    with open_session(temp_folder=folder) as session:
        given = PlanInput(
            file,
            FULL,
            folder / "orgs",
            folder / "accounts",
            mapping,
            reading=reading,
            kept_passwords=kept,
        )
        plan, hits = plan_file(session, given)
        made = [folder / name for name in ("plan", "unchanged", "results", "failed")]
        save_plan(session, plan, made[0], made[1])
        write_results(session, made[2], plan=made[0], unchanged=made[1])
        write_failed_rows(session, plan.records, made[3])
        groups = group_findings(session, plan.records, plan.findings)
        found = tuple(session.rows("SELECT line FROM password_rows ORDER BY line"))
        keep_what_counts(session, plan.records, file, reading)
    return Outcome(plan.records.facts, tuple(path.read_bytes() for path in made), groups, hits, found)


def stays_the_same(content: bytes, mapping: Mapping = NO_MAPPING) -> tuple[str, str]:
    """Plan a file of these bytes twice, and return what was kept of it: the file and the records with faults."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "people.csv").write_bytes(content)
        (folder / "orgs").write_text("external_id,name\n020,North\n", encoding="utf-8")
        (folder / "accounts").write_text(ACCOUNTS, encoding="utf-8")
        first = planned(folder, mapping)
        lines = tuple(line for (line,) in first.lines_with_password)
        kept = (folder / "people.csv").read_bytes()
        again = planned(folder, mapping, lines=lines)
        assert again == first
        assert (folder / "people.csv").read_bytes() == kept
        assert kept.count(b"\n") == content.count(b"\n") or b"\x00" in content
        faults = folder / "reading"
        text = str(duckdb.execute(f"SELECT * FROM read_parquet('{faults}')").fetchall()) if faults.is_file() else ""
        return kept.decode("utf-8", "replace"), text


def table(header: list[str], rows: list[list[str]], *, delimiter: str = ",", line_end: str = "\r\n") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=line_end).writerows([header, *rows])
    return text.getvalue()


BROKEN = (
    f"S3,too,few,{SECRET},{PRIVATE}",
    f'Ana,"A"nna,{SECRET},{PRIVATE},S4',
    ",".join(["x", "S5", *["y"] * 18, SECRET, PRIVATE]),
    "",
    "  ",
)
cells = st.sampled_from(["", "Ana", "Cole, Jr.", 'A "Bo" B', "two\nlines", "José", "=1+1", "\x01", "S2"])
SECRET_NAMES = ("password", "PIN", "Mot de passe")
extras = st.sampled_from([*SECRET_NAMES, "Home phone", "Room"])


@examples(3, night=4)
@given(
    st.lists(st.tuples(st.sampled_from(FIELD_NAMES), cells, st.booleans()), min_size=1, max_size=8),
    st.lists(st.tuples(extras, st.integers(0, 10)), min_size=1, max_size=3, unique_by=lambda each: each[0]),
    st.lists(st.sampled_from(BROKEN), max_size=3),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "windows-1252"]),
    st.sampled_from(["", "", "sep=,\n", "Lakeview District\n\nPrinted,11/28/2026\n", "none"]),
    st.booleans(),
)
def test_same_plan_from_what_is_kept(
    rows: list[tuple[str, str, bool]],
    more: list[tuple[str, int]],
    broken: list[str],
    line_end: str,
    encoding: str,
    above: str,
    is_closed: bool,
) -> None:
    header = list(FIELD_NAMES)
    people = [[*({**person(f"S{number}"), field: cell}.values())] for number, (field, cell, _) in enumerate(rows)]
    for name, place in more:
        header.insert(place, name)
        for row, (*_, is_filled) in zip(people, rows, strict=True):
            row.insert(place, (PRIVATE if name in ("Home phone", "Room") else SECRET) if is_filled else "")
    text = table(header, people, line_end=line_end) + "".join(f"{record}{line_end}" for record in broken)
    mapping = NO_MAPPING
    if above == "none":
        text = text.removeprefix(table(header, [], line_end=line_end))
        mapping = parse_mapping(f"mapper.m.columns={' | '.join(header)}")
    else:
        text = above.replace("\n", line_end) + text
    content = (text if is_closed or broken else text.rstrip("\r\n")).encode(encoding)
    file, faults = stays_the_same(content, mapping)
    assert not {SECRET, PRIVATE} & set(re.findall(r"\w[\w-]+", file))
    assert SECRET not in faults or not any(name in SECRET_NAMES for name, _ in more)
    assert not any(name in file for name, _ in more)


def test_columns_of_the_mapping_are_kept() -> None:
    names = {"first_name": "Given", "status": "State"}
    header = [*(names.get(name, name) for name in FIELD_NAMES), "Homeroom", "Room", "Kennwort"]
    lines = "first_name=Given | Other\nmapper.m.column.status=State\nmapper.m.column.password=Kennwort\n"
    mapping = parse_mapping(f"mapper.m.column.{lines}mapper.m.skip.Homeroom=none")
    content = table(header, [[*GOOD.values(), "none", PRIVATE, SECRET], [*person("S2").values(), "1", PRIVATE, SECRET]])
    file, _ = stays_the_same(content.encode(), mapping)
    assert file.splitlines()[0].split(",") == header[:-2]
    assert SECRET not in file
    assert PRIVATE not in file


@pytest.mark.night
def test_bad_bytes_in_a_column_that_goes() -> None:
    good = ",".join(person("S2", first_name="José").values())
    content = f"{','.join(FIELD_NAMES)},Room\n{','.join(GOOD.values())},M\xfcller\n{good},1\n{good},2\n"
    raw = content.encode("utf-8").replace("ü".encode(), b"\xfc")
    file, faults = stays_the_same(raw)
    assert "row.encoding" in faults
    assert "M" not in file.splitlines()[1].rpartition("Active")[2]


@pytest.mark.night
def test_reading_of_another_file_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "orgs").write_text("external_id,name\n020,North\n", encoding="utf-8")
    (tmp_path / "accounts").write_text(ACCOUNTS, encoding="utf-8")
    content = table([*FIELD_NAMES, "Room"], [[*GOOD.values(), PRIVATE]]).encode()
    (tmp_path / "people.csv").write_bytes(content)
    first = planned(tmp_path, NO_MAPPING)
    (tmp_path / "people.csv").write_bytes(content)  # as after a crash between the two files
    assert planned(tmp_path, NO_MAPPING) == first
