"""`sis-sync plan --systems --engine spark`: one Spark for all, a session for each, the same plans."""

from pathlib import Path
from unittest.mock import MagicMock

import pytest
from kit.county import ANA, BAD, BEN, CY, DEE, County
from kit.services import need_spark

from sis_sync.engine import spark
from sis_sync.engine.spark import SparkPlace, open_spark


@pytest.fixture
def county(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> County:
    return County(tmp_path, capsys)


@pytest.mark.night
@pytest.mark.xdist_group("spark")
def test_spark_plans_are_the_same(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    need_spark()
    exchange = county.folder / "on spark"
    exchange.mkdir()
    monkeypatch.setenv("SIS_SYNC_SPARK_MASTER", "local[2]")
    monkeypatch.setenv("SIS_SYNC_SPARK_FOLDER", str(exchange))
    county.add("north", ANA, BAD, accounts=(ANA, BEN))
    county.add("Zürich [2] 5%", CY, DEE)
    on_duckdb = county.plan(), county.written()
    assert (county.plan("--engine", "spark", "--at-once", "2"), county.written()) == on_duckdb
    assert list(exchange.iterdir()) == []


@pytest.mark.night
@pytest.mark.xdist_group("spark")
def test_spark_sessions_are_apart(tmp_path: Path) -> None:
    need_spark()
    with open_spark(SparkPlace(master="local[2]", folder=tmp_path)) as application:
        with application.session("one") as one, application.session("other") as other:
            for engine, name in ((one, "Ana"), (other, "Ben")):
                engine.run("CREATE TEMP TABLE people AS SELECT :name AS name", name=name)
            one.run("CREATE TEMP TABLE mine AS SELECT 1 AS n; CREATE TEMP VIEW shown AS SELECT n FROM mine")
            one.spark.sql("CREATE TEMPORARY FUNCTION ours() RETURNS STRING RETURN 'of one'").collect()
            one.spark.conf.set("spark.sql.session.timeZone", "America/Lima")
            assert (one.rows("SELECT name FROM people"), other.rows("SELECT name FROM people")) == (
                [("Ana",)],
                [("Ben",)],
            )
            assert [table.name for table in other.spark.catalog.listTables()] == ["people"]
            assert one.spark.catalog.functionExists("ours")
            assert not other.spark.catalog.functionExists("ours")
            assert other.spark.conf.get("spark.sql.session.timeZone") == "UTC"
            assert other.folder.is_dir()
        assert not other.folder.exists()
        with application.session("one") as again:
            assert again.spark.catalog.listTables() == []


class Cluster:
    """Spark with fake sessions: count the sessions, and how often each is stopped."""

    def __init__(self) -> None:
        self.stopped: list[int] = []

    def session(self) -> MagicMock:
        number = len(self.stopped)
        self.stopped.append(0)
        made = MagicMock()
        made.stop.side_effect = lambda: self.stopped.__setitem__(number, self.stopped[number] + 1)
        made.newSession.side_effect = self.session
        return made


@pytest.mark.parametrize(
    ("place", "while_open", "afterwards"),
    [
        (SparkPlace(master="local[2]"), [0, 0, 0], [0, 0, 0]),
        (SparkPlace(master="spark://host:7077"), [0, 0, 0], [1, 0, 0]),  # stopping a session would stop all
        (SparkPlace(remote="sc://host:15002"), [0, 1, 1], [1, 1, 1]),
    ],
)
def test_spark_is_closed_once(
    place: SparkPlace, while_open: list[int], afterwards: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster()
    monkeypatch.setattr(spark, "_connect", lambda _: cluster.session())
    monkeypatch.setattr(spark, "_check_answer", lambda *_: None)
    with open_spark(place) as application:
        with application.session("one"), application.session("other"):
            assert cluster.stopped == [0, 0, 0]
        assert cluster.stopped == while_open
    assert cluster.stopped == afterwards
