"""Spark plans a run as DuckDB does."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from kit.rosters import send, settled, student, teacher
from kit.services import need_spark
from pytest_django.fixtures import Settings

from sis_sync.core.errors import ConfigurationError
from sis_sync.engine.base import engine_named
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.files import run_files
from sis_sync.server.runs.results import results_of


@pytest.mark.django_db
@pytest.mark.night
@pytest.mark.xdist_group("spark")
def test_spark_plans_the_same(
    district: Org, north: Org, now: datetime, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_spark()
    monkeypatch.setenv("SIS_SYNC_SPARK_MASTER", "local[2]")
    settings.SIS_SYNC_DATA_FOLDER = tmp_path
    rows = [student("P1"), teacher("P2", first_name=""), student("P3", org="nowhere")]
    plans = []
    for engine in ("duckdb", "spark"):
        settings.SIS_SYNC_ENGINE = engine
        run = settled(send(district, *rows, mode="full", now=now), now=now)
        assert run.counts["create"] == 1
        assert run.counts["failed"] == 2
        files = run_files(run)
        paths = (files.plan, files.unchanged, results_of(run), files.failed, files.findings)
        written = [path.read_bytes() for path in paths]
        plans.append((run.state, run.counts, run.guards, written))
    assert plans[0] == plans[1]


@pytest.mark.django_db
@pytest.mark.night
@pytest.mark.xdist_group("spark")
def test_run_waits_for_an_unusable_spark(
    district: Org, north: Org, now: datetime, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_spark()
    monkeypatch.setenv("SIS_SYNC_SPARK_MASTER", "local[2]")
    monkeypatch.setenv("SIS_SYNC_SPARK_FOLDER", str(tmp_path / "nowhere"))
    settings.SIS_SYNC_DATA_FOLDER, settings.SIS_SYNC_ENGINE = tmp_path, "spark"
    run = send(district, student("P1"), now=now)
    assert settled(run, now=now).state == "checking"
    assert run.jobs.get().waits_for == "engine"
    assert run_files(run).original.is_file()
    monkeypatch.delenv("SIS_SYNC_SPARK_FOLDER")
    assert settled(run, now=now + timedelta(seconds=5)).counts["create"] == 1
    assert run.jobs.get(kind="plan").attempts == 1


@pytest.mark.parametrize("name", ["", "duckdb", " Spark "])
def test_engine_name_ignores_case(name: str) -> None:
    assert engine_named(name) == (name.strip().lower() or "duckdb")


def test_unknown_engine_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="SIS_SYNC_ENGINE"):
        engine_named("hadoop")
