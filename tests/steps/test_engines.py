"""DuckDB and Spark make the same plan, row for row, from the same SQL text."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from kit.districts import AWKWARD, ORGS, District, mixed_district
from kit.plans import made_in
from kit.services import need_spark

from sis_sync.core.damaged_names import DAMAGED_PATTERN
from sis_sync.core.fields import EMAIL_PATTERN
from sis_sync.core.findings import FINDING_CODES
from sis_sync.core.guards import NO_HISTORY, STANDARD_GUARD_LIMITS, GuardHit
from sis_sync.core.modes import MODES, OTHER_FIELDS, STANDARD_FIELD_SETTINGS, FieldSettings
from sis_sync.engine.base import EngineName
from sis_sync.engine.duckdb import Session, open_session
from sis_sync.engine.spark import SparkEngine, SparkPlace, open_spark
from sis_sync.engine.spark_sql import named_queries, query, statements
from sis_sync.engine.sql import bind
from sis_sync.steps.directory.directory import load_directory
from sis_sync.steps.guard.guard import guard, load_history
from sis_sync.steps.map.map import find_passwords_of_existing
from sis_sync.steps.map.mapper_lines import parse_mapping
from sis_sync.steps.map.settle import settle
from sis_sync.steps.pipeline import PlanInput, map_file, plan_file
from sis_sync.steps.plan.plan import make_plan, save_plan
from sis_sync.steps.validate.validate import FORMAT_CHARACTERS, validate

# The full measure: SIS_SYNC_TEST_ENGINE_ROWS=100000. Spark takes a minute for it.
ROWS = int(os.environ.get("SIS_SYNC_TEST_ENGINE_ROWS", "3000"))
MODE = MODES["students"]


@dataclass(frozen=True)
class Made:
    """A stored plan, the guards that hold it with their sentences, and how often each finding stands."""

    plan: Path
    unchanged: Path
    hits: tuple[GuardHit, ...]
    findings: dict[str, int]


@dataclass(frozen=True)
class ReadBySpark:
    """Runs the steps on DuckDB. Spark only analyses each statement: its grammar, names and types."""

    duckdb: Session
    spark: SparkEngine

    def run(self, sql: str, **values: object) -> None:
        self.duckdb.run(sql, **values)
        for made in named_queries(bind(sql, **values)):
            columns = self.spark.spark.sql(made.query).schema
            self.spark.spark.createDataFrame([], columns).createOrReplaceTempView(made.name)

    def rows(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        self.spark.spark.sql(query(statements(bind(sql, **values))[0]))
        return self.duckdb.rows(sql, **values)

    def value(self, sql: str, **values: object) -> Any:
        return self.rows(sql, **values)[0][0]

    def take_tables(self) -> None:
        """Make the tables and views that DuckDB has, without their rows."""
        for _, name in made_in(self.duckdb):
            path = self.spark.folder / f"{name}.parquet"
            self.duckdb.run(f"COPY (FROM {name} LIMIT 0) TO :path (FORMAT parquet)", path=str(path))
            self.spark.take(name, path)


def written(district: District, folder: Path, settings: FieldSettings) -> PlanInput:
    """The plan's input, with the files of the district in this new folder."""
    folder.mkdir()
    for name, content in {
        "roster": district.roster,
        "orgs": ORGS.encode(),
        "accounts": district.accounts.encode(),
    }.items():
        (folder / f"{name}.csv").write_bytes(content)
    mapping = parse_mapping("mapper.mixed.skip.skip=yes\n")
    return PlanInput(
        folder / "roster.csv", MODE, folder / "orgs.csv", folder / "accounts.csv", mapping, field_settings=settings
    )


def made_on(
    engine: EngineName, district: District, folder: Path, settings: FieldSettings = STANDARD_FIELD_SETTINGS
) -> Made:
    given = written(district, folder, settings)
    with open_session(temp_folder=folder) as session:
        plan, hits = plan_file(session, given, engine=engine)
        files = (folder / "plan.parquet", folder / "unchanged.parquet")
        save_plan(session, plan, *files)
        return Made(*files, hits, plan.findings)


def rows_of_one_only(one: Path, other: Path) -> list[tuple[object, ...]]:
    """The first rows that stand in one file and not in the other, each as often as it does."""
    parts = (f"(FROM read_parquet('{a}') EXCEPT ALL FROM read_parquet('{b}'))" for a, b in ((one, other), (other, one)))
    return duckdb.execute(" UNION ALL ".join(parts) + " LIMIT 5").fetchall()


@pytest.mark.xdist_group("spark")
def test_spark_analyses_the_statements(tmp_path: Path) -> None:
    """Of a plan with most faults. A plan on Spark compiles for minutes, so only the night makes one."""
    need_spark()
    given = written(mixed_district(3000), tmp_path / "district", FieldSettings(position="create", grade="off"))
    place = SparkPlace(master="local[2]", folder=tmp_path)
    with open_session() as session, open_spark(place) as application, application.session() as spark:
        roster = map_file(session, given.file, mode=given.mode, mapping=given.mapping)
        directory = load_directory(session, orgs=given.orgs, accounts=given.accounts)
        load_history(session, NO_HISTORY)
        settled = settle(session, roster.records, field_settings=given.field_settings)
        find_passwords_of_existing(session, None)
        both = ReadBySpark(session, spark)
        both.take_tables()
        judged = validate(both, roster, directory, given.mode, settled=settled)
        plan = make_plan(both, judged, on_absent="delete")
        hits = guard(both, plan, STANDARD_GUARD_LIMITS, NO_HISTORY)
    assert (plan.counts.delete > 0, bool(hits)) == (True, True)


@pytest.mark.night
@pytest.mark.xdist_group("spark")
def test_both_engines_plan_alike(tmp_path: Path) -> None:
    need_spark()
    district, settings = mixed_district(ROWS), FieldSettings(position="create", grade="off")
    duck = made_on("duckdb", district, tmp_path / "duckdb", settings)
    spark = made_on("spark", district, tmp_path / "spark", settings)
    assert rows_of_one_only(duck.plan, spark.plan) == []
    assert rows_of_one_only(duck.unchanged, spark.unchanged) == []
    assert (duck.hits, duck.findings) == (spark.hits, spark.findings)
    assert duck.plan.read_bytes() == spark.plan.read_bytes()
    assert duck.unchanged.read_bytes() == spark.unchanged.read_bytes()


def test_the_district_has_every_fault(tmp_path: Path) -> None:
    nothing_set: dict[str, Any] = dict.fromkeys(OTHER_FIELDS, "off")
    district = mixed_district(3000)
    found = {*made_on("duckdb", district, tmp_path / "duckdb").findings}
    found |= {*made_on("duckdb", district, tmp_path / "kept", FieldSettings("never", **nothing_set)).findings}
    of_rows = {code for code in FINDING_CODES if not code.startswith(("file.", "column."))}
    assert of_rows - set(found) == {"account.kept_active"}  # only where a person lets a run keep everyone


@pytest.mark.night
@pytest.mark.xdist_group("spark")
def test_functions_judge_every_character_alike(tmp_path: Path) -> None:
    need_spark()
    judged = (
        "SELECT text, escaped(text) AS shown, fold(text) AS folded, length(text) AS characters, "
        "has_match(text, :format_characters) AS is_format, has_match(text, :damaged) AS is_damaged, "
        "matches(text, :email) AS is_email, replace_all(text, '^0+', '') AS bare FROM given"
    )
    values = {"format_characters": FORMAT_CHARACTERS, "damaged": DAMAGED_PATTERN, "email": EMAIL_PATTERN}
    place = SparkPlace(master="local[2]", folder=tmp_path)
    with open_session() as session, open_spark(place) as application, application.session() as spark:
        session.run(
            "CREATE TEMP TABLE given AS SELECT chr(CAST(n AS INTEGER)) AS text FROM range(1, 1114112) AS r(n) "
            "WHERE n < 55296 OR n > 57343"
        )
        session.insert("INSERT INTO given SELECT unnest(?::VARCHAR[])", [[*AWKWARD, "0a@b.example\n", "a@b.example"]])
        session.run("COPY given TO :path (FORMAT parquet)", path=str(tmp_path / "given.parquet"))
        spark.take("given", tmp_path / "given.parquet")
        session.run(f"CREATE TEMP TABLE here AS {judged}", **values)
        spark.run(f"CREATE TEMP TABLE there AS {judged}", **values)
        session.run("CREATE TEMP TABLE there AS FROM read_parquet(:files)", files=f"{spark.give('there')}/*.parquet")
        unlike = "(FROM here EXCEPT ALL FROM there) UNION ALL (FROM there EXCEPT ALL FROM here)"
        assert session.rows(f"SELECT DISTINCT to_hex(unicode(text)) FROM ({unlike})") == []
