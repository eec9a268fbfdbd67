"""The SQL text of the steps calls only what DuckDB and Spark both have; each such function runs on both here."""

import re
from importlib import resources
from pathlib import Path

import pytest
from kit.services import need_spark

from sis_sync.engine.duckdb import open_session
from sis_sync.engine.spark import SparkPlace, open_spark
from sis_sync.engine.spark_sql import statements

# A call of each function and what it gives, of `t`: the numbers 1 to 3, with the letters c, b and NULL.
CALLS: dict[str, tuple[str, object]] = {
    "any_value": ("any_value(CASE WHEN number = 1 THEN letter END)", "c"),
    "bool_and": ("bool_and(number > 0)", True),
    "bool_or": ("bool_or(number = 2)", True),
    "chr": ("min(chr(31))", "\x1f"),
    "coalesce": ("max(coalesce(letter, 'z'))", "z"),
    "concat": ("max(concat('a', 'b'))", "ab"),
    "concat_ws": ("min(concat_ws(';', letter, NULL, 'x'))", "b;x"),
    "count": ("count(letter)", 2),
    "escaped": ("min(escaped(chr(27) || 'é' || chr(92)))", "\\u001Bé\\"),
    "fold": ("max(fold('ABC') || fold('ÀB'))", "abcÀB"),
    "has_match": ("bool_or(has_match('a\\d1', '\\\\d[0-9]'))", True),
    "instr": ("max(instr('Aéb', 'b'))", 3),
    "is_ascii": ("bool_or(is_ascii('é')) OR NOT bool_or(is_ascii('a1 '))", False),
    "length": ("max(length('é🧑x'))", 3),
    "matches": ("bool_or(matches('a1' || chr(10), '[a-z][0-9]'))", False),
    "max": ("max(letter)", "c"),
    "min": ("min(letter)", "b"),
    "nullif": ("count(nullif(letter, 'b'))", 1),
    "rank": ("max(position)", 3),
    "row_hash": ("count(DISTINCT row_hash('', '', '', '', letter, '', '', '', ''))", 3),
    "row_number": ("max(place)", 3),
    "string_agg": ("string_agg(letter, ';' ORDER BY number)", "c;b"),
    "substr": ("max(substr('é🧑xyz', 2, 3))", "🧑xy"),
    "sum": ("CAST(sum(number) AS BIGINT)", 6),
    "without_zeros": ("max(without_zeros('0070'))", "70"),
}
TABLE = (
    "(SELECT number, letter, row_number() OVER (ORDER BY number) AS place, "
    "rank() OVER (ORDER BY number) AS position "
    "FROM (VALUES (1, 'c'), (2, 'b'), (3, CAST(NULL AS STRING))) AS v(number, letter)) AS t"
)
# Words that stand before a bracket and are no functions.
WORDS = {"and", "as", "by", "cast", "exists", "filter", "from", "having", "in", "join", "not", "on", "or", "over"}
WORDS |= {"select", "sets", "then", "union", "using", "values", "when", "where"}
# DuckDB maps the file, reads the history and writes the stored plan whatever has planned, it plans every undo, and it
# alone has a memory.
OF_DUCKDB = {
    "marks.sql",
    "name_edits.sql",
    "number.sql",
    "passwords_of_existing.sql",
    "recent.sql",
    "save.sql",
    "settle.sql",
}
FOLDERS_OF_DUCKDB = {"memory", "undo"}


def functions_in(sql: str) -> set[str]:
    """The names that a text calls, without literals and comments."""
    bare = " ".join(re.sub(r"'(?:[^']|'')*'", "''", statement) for statement in statements(sql))
    return {name.lower() for name in re.findall(r"(?<!\bAS )(?<!\bTABLE )\b(\w+)\s*\(", bare)} - WORDS


def test_only_portable_functions_called() -> None:
    texts = sorted(Path(str(resources.files("sis_sync.steps"))).rglob("*.sql"))
    shared = [file for file in texts if file.name not in OF_DUCKDB and file.parent.name not in FOLDERS_OF_DUCKDB]
    portable = [file.read_text(encoding="utf-8") for file in shared]
    used = {name for text in portable for name in functions_in(text)}
    assert used == set(CALLS), "run each function of the steps on both engines here, and none that they do not call"


@pytest.mark.night
@pytest.mark.xdist_group("spark")
def test_functions_agree_on_engines(tmp_path: Path) -> None:
    need_spark()
    expected = tuple(result for _, result in CALLS.values())
    query = f"SELECT {', '.join(call for call, _ in CALLS.values())} FROM {TABLE}"
    place = SparkPlace(master="local[2]", folder=tmp_path)
    with open_session() as session, open_spark(place) as application, application.session() as spark:
        assert session.rows(query) == [expected]
        assert spark.rows(query) == [expected]


@pytest.mark.night
@pytest.mark.xdist_group("spark")
def test_each_text_changes_the_hash(tmp_path: Path) -> None:
    need_spark()
    nothing = ["''"] * 9
    rows = [nothing, *([*nothing[:place], "'a'", *nothing[place + 1 :]] for place in range(9))]
    hashes = " UNION ALL ".join(f"SELECT row_hash({', '.join(row)}) AS hash" for row in rows)
    with open_session() as session, open_spark(SparkPlace(master="local[2]")) as spark, spark.session() as there:
        for engine in (session, there):
            assert engine.value(f"SELECT count(DISTINCT hash) FROM ({hashes}) AS h") == 10
