"""The same bytes and options: the client's check, the offline plan and the server find the same, row by row."""

import csv
import io
import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.plans import examples
from kit.rosters import needs_approval, sync

from sis_sync.core.errors import FileRefused
from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.modes import MODES
from sis_sync.core.reading_options import BACKSLASH, DELIMITERS, NO_HEADER, ReadingOptions
from sis_sync.engine.duckdb import open_session
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.results import results_of
from sis_sync.steps.map.mapping import NO_MAPPING, Mapping
from sis_sync.steps.pipeline import PlanInput, check_file, plan_file
from sis_sync.steps.report import write_plan

ORGS = "external_id,name,kind\nRB,Riverbend Unified,district\nN1,North School,school\n"
ENCODINGS = {
    "utf-8": "Łukasz Γιώργος José",
    "utf-8-sig": "Łukasz José",
    "utf-16": "Łukasz Иван",
    "windows-1250": "Łukasz Żółć Stanisław",
    "windows-1252": "José Zoë Müller",
    "windows-1253": "Γιώργος Μαρία",
}
COMPARED = ("line", "action", "custom_id", "codes")
cells = st.sampled_from(["", "Ana", 'A "Bo" B', "two\nlines", "=1+1", "N/A", "x@y"])
said = st.builds(
    ReadingOptions,
    encoding=st.sampled_from(["", "", "right", "windows-1252"]),
    fallback=st.sampled_from(["", "windows-1250", "windows-1253"]),
    delimiter=st.sampled_from(["", "", "right", "comma"]),
    header_line=st.sampled_from([None, None, -1, NO_HEADER]),
    escape=st.sampled_from(["", "", BACKSLASH]),
    footers=st.sampled_from([(), (), ("Total records: {rows}", "TRL*")]),
)


def found_offline(content: bytes, options: ReadingOptions, mapping: Mapping) -> tuple[object, object, object]:
    """What the client's check finds, what the plan finds, and the rows of the plan; or the code of the refusal."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "people.csv").write_bytes(content)
        (folder / "orgs.csv").write_text(ORGS, encoding="utf-8")
        given = PlanInput(
            folder / "people.csv", MODES["partial"], folder / "orgs.csv", mapping=mapping, options=options
        )
        try:
            with open_session(threads=1) as session:
                judged = check_file(session, given.file, mode=given.mode, mapping=mapping, options=options)
                checked = {**judged.findings}
            with open_session(threads=1) as session:
                plan, _ = plan_file(session, given)
                write_plan(session, folder / "plan.csv")
        except FileRefused as refusal:
            return refusal.code, refusal.code, refusal.line
        return checked, plan.findings, rows_of((folder / "plan.csv").read_text(encoding="utf-8"))


def found_by_server(run: Run) -> tuple[object, object]:
    if run.refusal:
        return run.refusal["code"], run.refusal["line"]
    return run.findings, rows_of(results_of(run).read_text(encoding="utf-8"))


def rows_of(text: str) -> list[tuple[str, ...]]:
    return [tuple(row[name] for name in COMPARED) for row in csv.DictReader(io.StringIO(text, newline=""))]


@pytest.mark.django_db
@examples(2, night=4, one_place=True)
@given(
    encoding=st.sampled_from(sorted(ENCODINGS)),
    delimiter=st.sampled_from(sorted(DELIMITERS)),
    options=said,
    above=st.sampled_from(["", "", "sep={}\n", "Riverbend\n\nPrinted,11/28/2026\n"]),
    below=st.sampled_from(["", "", "Total records: 3\n", "TRL|3\n"]),
    odd=st.lists(st.tuples(st.sampled_from(FIELD_NAMES), cells), max_size=2),
    by_mapping=st.booleans(),
)
def test_all_parts_read_the_same(
    district: Org,
    north: Org,
    now: datetime,
    encoding: str,
    delimiter: str,
    options: ReadingOptions,
    above: str,
    below: str,
    odd: list[tuple[str, str]],
    by_mapping: bool,
) -> None:
    needs_approval(district, "partial")
    content = file_of(ENCODINGS[encoding].split(), delimiter, odd, with_header=not options.has_no_header)
    content = above.format(delimiter) + content + below
    options = replace(
        options,
        encoding=encoding if options.encoding == "right" else options.encoding,
        delimiter=DELIMITERS[delimiter] if options.delimiter == "right" else options.delimiter,
        header_line=above.count("\n") + 1 if options.header_line == -1 else options.header_line,
        columns=FIELD_NAMES if options.has_no_header else (),
    )
    mapping, lines = NO_MAPPING, ""
    if by_mapping:
        words = {name: word for name, word in options.as_words().items() if name != "encoding_fallback"}
        mapping = Mapping("m", reading=replace(options, fallback=""))
        lines = "".join(f"mapper.m.{name}={word}\n" for name, word in words.items())
        options = ReadingOptions(fallback=options.fallback)
    raw = content.encode(encoding)
    checked, planned, rows = found_offline(raw, options, mapping)
    run = sync(district, now=now, content=raw, options=options, mapping_lines=lines, mapping_name="m" if lines else "")
    findings, run_rows = found_by_server(run)
    Run.objects.all().delete()  # so that no later example is planned after this one
    assert (findings, run_rows) == (planned, rows)
    if isinstance(checked, dict) and isinstance(planned, dict):
        of_accounts = {code: count for code, count in planned.items() if code not in checked}
        assert set(of_accounts) <= {"org.unknown", "row.not_created", "custom_id.returning"}
        assert {code: count for code, count in planned.items() if code in checked} == checked


def file_of(names: list[str], delimiter: str, odd: list[tuple[str, str]], *, with_header: bool) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELD_NAMES, delimiter=delimiter, lineterminator="\n")
    if with_header:
        writer.writeheader()
    for number, name in enumerate(names):
        row = dict.fromkeys(FIELD_NAMES, "") | {"first_name": name, "last_name": "Lind", "custom_id": f"S{number}"}
        row |= {"email": f"s{number}@x.example", "school_district_external_id": "N1", "user_type": "Student"}
        writer.writerow({**row, "status": "Active", **dict(odd[number : number + 1])})
    return text.getvalue()
