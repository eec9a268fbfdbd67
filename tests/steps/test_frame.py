"""The frame of a report: mended lines read as if they were split one by one, and footers that count."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.commands import HEADER, command
from kit.plans import examples

from sis_sync.steps.read.footer_text import FooterPattern, count_in
from sis_sync.steps.read.quotes import split_record
from sis_sync.steps.read.scan import Layout, scan
from sis_sync.steps.read.shape import Shape

SHAPE = Shape(ord(","), columns=4, named=3, least=2)
pieces = st.sampled_from(["a", " ", ",", '"', '""', "=", '="', ',"', '",', '", "', "x y", "\u00a0", "\r"])
lines = st.lists(pieces, max_size=10).map("".join)


def read_by_arrays(data: bytes) -> list[tuple[int, tuple[str | None, ...]]]:
    """The line and the cells of each record that could be split."""
    found: list[tuple[int, tuple[str | None, ...]]] = []
    for part in scan(data, Layout(0, 1, SHAPE, has_bad_bytes=False)):
        texts = [text if isinstance(text, bytes) else data[slice(*text)] for text in part.texts]
        plain = b"".join(texts).decode().replace("\r\n", "\n").splitlines()
        whole = [split_record(text.encode(), 0, SHAPE).cells for text in plain]
        found += list(zip(part.plain_lines.tolist(), [tuple(map(bytes.decode, cells)) for cells in whole], strict=True))
        found += [(record.line, record.cells) for record in part.odd if record.is_split]
    return sorted(found)


def read_one_by_one(data: bytes) -> list[tuple[int, tuple[str | None, ...]]]:
    found: list[tuple[int, tuple[str | None, ...]]] = []
    start, line = 0, 1
    while start < len(data):
        end = data.index(b"\n", start)
        if SHAPE.is_blank_row(data[start:end]):
            start, line = end + 1, line + 1
            continue
        record = split_record(data, start, SHAPE)
        fitted = None if record.fault else SHAPE.fitted(record.cells)
        if fitted:
            found.append((line, tuple(map(bytes.decode, fitted))))
        start, line = record.end, line + record.lines
    return found


@examples(300)
@given(st.lists(lines, min_size=1, max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_mended_lines_read_like_split_records(found: list[str], end: str) -> None:
    data = "".join(f"{line}{end}" for line in [*found, "a,b,c,d"]).encode()
    assert read_by_arrays(data) == read_one_by_one(data)


@pytest.mark.parametrize(
    ("cells", "count"),
    [
        (["Total records: 1,208"], 1208),
        (["Total records: 1", "208"], 1208),
        (["(1208 rows affected)"], 1208),
        (["Record count = 00029"], 29),
        (["Anzahl Datensätze: 1.208"], 1208),
        (["Nombre d'élèves : 1\u00a0208"], 1208),
        (["29 students"], 29),
        (["Students: 29 (28.11.2026 07:30)"], 29),
        (["Staff list 2026"], None),
        (["Staff", "29"], None),
        (["Total on page 3"], None),
        (["29 of 30 rows"], None),
        (["Printed 2026-11-28"], None),
        (["End of report"], None),
        (["RECORD_COUNT=29"], 29),
        (["TotalRecords", "29"], 29),
        (["RowCount: 29"], 29),
        (["Počet záznamů: 29"], 29),
        (["Összesen: 29"], 29),
        (["Toplam: 29"], 29),
        (["Итого записей: 29"], 29),
        (["合計: 29件"], 29),
        (["Total enrollment: 29"], 29),
        (["Headcount", "29"], 29),
        (["29 Einträge"], 29),
        (["Oppilaita: 29"], 29),
        (["Tanulók száma: 29"], 29),
        (["Total records: 29 Date: 11/28/2026 Time: 06:00"], 29),
        (["0 rows skipped"], None),
        (["Rejected records: 2"], None),
        (["Total time: 29 s"], None),
        (["共29条记录"], 29),
        (["3 rows in set (0.01 sec)"], 3),
        (["Total schools: 3"], None),
        (["Celkem stran: 3"], None),
        (["2026年11月28日"], None),
        (["Total students (new and returning): 2"], 2),
        (["Total new and returning students: 2"], 2),
        (["Total records: 1208 (inactive included)"], 1208),
        (["Total records: 1208, inactive included"], 1208),
        (["Total Boys and Girls: 1208"], 1208),
        (["Total females/males: 1208"], 1208),
        (["Total records on time: 1208"], 1208),
        (["Total records: 1208 without errors"], 1208),
        (["Total boys: 600"], None),
        (["Total", "inactive", "600"], None),
        (["3 records were skipped"], None),
        (["(3 rows skipped)"], None),
        (["Total new students: 3"], None),
        (["Total students: 3 new"], None),
        (["Total processing time (s): 29"], None),
        (["Fall Enrollment 2026"], None),
        (["Fall Enrollment", "2026"], None),
        (["2026 Enrollment"], None),
        (["Report: Fall Enrollment 2026"], None),
        (["Enrollment Report SY2026"], None),
        (["Enrollment: 2026"], 2026),
        (["Effectif : 29"], 29),
        (["Kinder: 25"], None),
    ],
)
def test_number_of_records_in_a_footer(cells: list[str], count: int | None) -> None:
    assert count_in(cells) == count


@pytest.mark.parametrize(
    ("pattern", "line", "number"),
    [
        ("(* rows affected)", "(12 Rows Affected)", None),
        ("Total: {rows}", "total: 1,208", "1,208"),
        ("a.c", "abc", False),
        ("Page *", "On page 3", False),
    ],
)
def test_pattern_of_a_mapping(pattern: str, line: str, number: str | bool | None) -> None:
    match = FooterPattern(pattern).matches(line)
    assert bool(match) is (number is not False)
    assert FooterPattern(pattern).search_text.decode() in line.lower() or not match
    if match and number:
        assert match[1] == number


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ("Ana,Lee", "2 of 10 cells: no last_name, email, custom_id"),
        ("a,b,c,d,e,f,g,h,i,j,k", "11 cells for 10 columns: a value with a delimiter in it needs quotation marks"),
    ],
)
def test_message_of_another_number_of_cells(
    record: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text(f"{HEADER}\n{record}\nAna,,Lee,ana@school.example,101,S1,Teacher,,,Active\n", encoding="utf-8")
    said = command(capsys, "check", roster)
    assert says in said.out
    assert "quotation marks" not in said.out or "11 cells" in said.out


def test_refusal_of_a_column_twice_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    roster = tmp_path / "roster.csv"
    row = "Ana,,Lee,ana@school.example,101,S1,Teacher,,,Active"
    roster.write_text(f"{HEADER},Custom ID\n{row},101\n{row},102\n", encoding="utf-8")
    said = command(capsys, "check", roster)
    assert '"custom_id" (column 5) and "Custom ID" (column 11) both say custom_id' in said.err
    assert "first on line 3" in said.err
    assert "102" not in said.err
