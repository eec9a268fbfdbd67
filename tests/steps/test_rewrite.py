"""A file written again without its columns of secrets: no secret is in it, and everything else is where it was."""

import csv
import io
import tempfile
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.plans import examples

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.reading_options import ReadingOptions
from sis_sync.steps.map.mapper_lines import parse_mapping
from sis_sync.steps.map.mapping import NO_MAPPING, Mapping
from sis_sync.steps.map.secret_columns import SECRET_HEADER_WORDS
from sis_sync.steps.read import rewrite
from sis_sync.steps.read.rewrite import write_without_secrets
from sis_sync.steps.read.shape import Shape

SECRET = "Grey-harbour-12"
HEADER = ",".join(FIELD_NAMES)
ROW = "Ana,,Ruiz,ana@riverbend.example,S1,N1,Student,,7,Active"


def copied(content: bytes, mapping: Mapping = NO_MAPPING, *, fallback: str = "windows-1252") -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "source"), Path(folder, "target")
        source.write_bytes(content)
        write_without_secrets(source, target, mapping=mapping, options=ReadingOptions(fallback=fallback))
        assert {path.name for path in Path(folder).iterdir()} == {"source", "target"}
        return target.read_bytes()


def cells_of(content: bytes, delimiter: str = ",") -> list[list[str]]:
    lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter)
    return [row for row in lines if row]


cells = st.one_of(
    st.sampled_from(["", "Ana", "Cole, Jr.", 'A "Bo" B', "two words", "José"]), st.text("aé, ", max_size=5)
)
secrets = st.sampled_from([SECRET, f'{SECRET}, "quoted"', f"two\n{SECRET}", f"{SECRET}\r\nlines\r\n", f"  {SECRET}  "])


@examples(12, night=25)
@given(
    st.lists(st.tuples(st.lists(cells, min_size=10, max_size=10), secrets), min_size=1, max_size=6),
    st.integers(0, 10),
    st.sampled_from(
        ["password", "Pass word", "START_PIN", "Kennwort", "Mot de passe", "Contraseña", "ssn4", "パスワード"]
    ),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.booleans(),
)
def test_only_the_secrets_are_gone(
    rows: list[tuple[list[str], str]],
    place: int,
    word: str,
    end: str,
    delimiter: str,
    encoding: str,
    ends: bool,
) -> None:
    kept = [list(FIELD_NAMES), *(row for row, _ in rows)]
    whole = [
        [*row[:place], secret, *row[place:]] for row, secret in zip(kept, [word, *(s for _, s in rows)], strict=True)
    ]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(whole)
    content = text.getvalue() if ends else text.getvalue().removesuffix(end)
    found = copied(content.encode(encoding))
    assert SECRET.encode() not in found
    assert found.count(b"\n") == content.count("\n")
    # The last row may be read as cut off if its file ends inside it; all others are whole.
    assert cells_of(found, delimiter) == kept


@pytest.mark.parametrize(
    "word", [*SECRET_HEADER_WORDS, "Network Password", "PWD", "Social Security No", "Mot de passe"]
)
def test_secret_words(word: str) -> None:
    assert SECRET.encode() not in copied(f"{HEADER},{word}\n{ROW},{SECRET}\n".encode())


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (f"{HEADER},password\n{ROW},{SECRET}\nS2,{SECRET},too,few\n{ROW},{SECRET},more\n", "utf-8"),
        (f'{HEADER},password\n{ROW},"{SECRET}\n{ROW},{SECRET}\n', "utf-8"),
        (f'{HEADER},"password\n{ROW},{SECRET}\n', "utf-8"),
        (f"no,header,password\nx,y,{SECRET}", "utf-8"),
        (f"{HEADER},password,password\n{ROW},{SECRET},{SECRET}\n", "utf-8"),
        (f"\n\n{HEADER},password\n\n{ROW},{SECRET}\n", "utf-8"),
        (f"{HEADER},password\n{ROW},{SECRET}\n", "utf-16-le"),
        (f"{HEADER},password\n{ROW},{SECRET}\n", "utf-16-be"),
        (f"{HEADER},password\n{ROW},{SECRET}\n", "utf-32"),
        (f"{HEADER},password\n{ROW.replace('Ana', 'José')},{SECRET}\n", "windows-1252"),
        (f"{','.join(f'c{n}' for n in range(300))},password\n{',' * 300}{SECRET}\n", "utf-8"),
        ('c,"a\nb",' * 300 + f"password\nx,{SECRET},y\n" + f"{',' * 600}{SECRET}\n", "utf-8"),
        ("first_name,password\r" + f"Ana,{SECRET}\r" * 3, "utf-8"),
    ],
)
def test_refused_files_lose_their_secrets(content: str, encoding: str) -> None:
    found = copied(content.encode(encoding))
    assert all(SECRET.encode(each) not in found for each in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le"))
    assert found.count(b"\n") == content.count("\n")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        f"{HEADER}\n{ROW}\n".encode(),
        f"{HEADER}\n{ROW}\n".encode("utf-16"),
        b"PK\x03\x04 password",
        b"\xff\xfe",
    ],
)
def test_file_without_secrets_is_unchanged(content: bytes) -> None:
    assert copied(content) == content


def test_mapping_names_the_secret() -> None:
    content = f"{HEADER},Startwort\n{ROW},{SECRET}\n".encode()
    assert copied(content) == content
    assert SECRET.encode() not in copied(content, parse_mapping("mapper.local.column.password=Startwort"))


def test_column_that_a_field_needs_is_kept() -> None:
    content = f"{HEADER.replace('custom_id', 'Student PIN')},password\n{ROW},{SECRET}\n".encode()
    found = copied(content, parse_mapping("mapper.local.column.custom_id=Student PIN"))
    assert cells_of(found)[1] == ROW.split(",")


@examples(12, night=25)
@given(
    st.lists(st.lists(cells, min_size=4, max_size=4), min_size=1, max_size=12),
    st.sets(st.integers(0, 3), min_size=1, max_size=2),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
    st.lists(
        st.tuples(st.integers(0, 12), st.sampled_from(["", "  ", "a,b", 'a,"b"c,d,e', "a,b,c,d,e", "\x01,b,c,d"]))
    ),
    st.booleans(),
)
def test_arrays_drop_the_columns_that_a_loop_drops(
    rows: list[list[str]],
    left_out: set[int],
    quoting: Literal[0, 1],
    line_end: str,
    others: list[tuple[int, str]],
    is_closed: bool,
) -> None:
    records = []
    for row in [["w", "x", "y", "z"], *rows]:
        text = io.StringIO()
        csv.writer(text, quoting=quoting, lineterminator=line_end).writerow(row)
        records.append(text.getvalue())
    for place, other in others:
        records.insert(1 + place, other + line_end)
    data = "".join(records).encode()
    data = data if is_closed else data.rstrip(b"\r\n")
    plan = rewrite.Rewrite(Shape(ord(","), 4, 4, 4), left_out, 0)
    found = []
    for worth_arrays, chunk_bytes in ((1, 64), (1, 1 << 18), (1 << 18, 1 << 18)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rewrite, "WORTH_ARRAYS", worth_arrays)
            patch.setattr(rewrite, "CHUNK_BYTES", chunk_bytes)
            found.append(b"".join(rewrite.rewritten(data, plan)))
    assert cells_of(found[0]) == cells_of(found[1]) == cells_of(found[2])
    assert found[0].count(b"\n") == found[1].count(b"\n") == found[2].count(b"\n") == data.count(b"\n")
