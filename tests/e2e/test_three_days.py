"""A district's exports of three days, from the folder to the accounts: a real client, server and database."""

import csv
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from kit.servers import Place, running_place

# In the gate, the demo below runs the same days.
ON_BOTH = pytest.mark.parametrize("place", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    with running_place(tmp_path, database_url=url) as running:
        yield running


@pytest.mark.night
@ON_BOTH
def test_three_days_of_a_district(place: Place) -> None:
    day_one = place.sync(1)
    assert_counts(day_one, rows=1208, create=1208)

    day_two = place.sync(2)
    assert_counts(day_two, rows=1193, create=9, update=60, unchanged=1122, failed=2, delete=24)
    assert day_two["findings"]["email.invalid"] == 2

    day_three = place.sync(3)
    assert_counts(day_three, rows=1199, restore=6, unchanged=1191, failed=2)

    assert_counts(place.sync(3), rows=1199, unchanged=1197, failed=2)
    assert_results_account_for_every_line(place)
    assert_cut_file_is_refused(place, accounts=place.count_accounts())


@pytest.mark.night
@ON_BOTH
def test_nothing_is_applied_unapproved(place: Place) -> None:
    place.sync(1)
    run = place.send(2)
    assert run["state"] == "waiting"
    assert place.count_accounts() == 1208 + 1  # and the manager, who has no ID

    place.manager.approve(run)
    assert place.manager.wait_for_decision(run["id"])["state"] == "applied"
    assert place.count_accounts() == 1208 + 1 + 9 - 24


@pytest.mark.night
@ON_BOTH
def test_mapping_lines_go_along(place: Place) -> None:
    with place.demo.properties.open("a", encoding="utf-8") as properties:
        properties.write("full.sync.mapper=sis\nmapper.sis.column.custom_id=Student Number\n")
    text = place.export(1).read_text(encoding="utf-8")
    (place.exports / "lakeview-day1.csv").write_text(text.replace("custom_id", "Student Number", 1), encoding="utf-8")
    done = place.run_client()
    assert done.returncode == 0, done.stderr
    newest = place.manager.newest_run()
    assert newest is not None
    run = place.manager.wait_for_decision(newest["id"])
    assert run["state"] == "waiting", run
    assert run["counts"]["create"] == 1208


@pytest.mark.night
@ON_BOTH
def test_cut_file_deletes_no_one(place: Place) -> None:
    """A cut first list, before anybody left. The three days above end with one too."""
    place.sync(1)
    assert_cut_file_is_refused(place, accounts=1208 + 1)


def assert_cut_file_is_refused(place: Place, *, accounts: int) -> None:
    text = (place.export(1)).read_bytes()
    (place.exports / "lakeview-day1.csv").write_bytes(text[: len(text) // 2])
    outcome = place.run_client()
    assert outcome.returncode == 6, outcome.stderr
    assert place.count_accounts() == accounts
    assert [path.name for path in (place.exports / "failed").glob("*.csv")]


def assert_counts(run: dict[str, object], **expected: int) -> None:
    assert run["state"] == "applied"
    counts = run["counts"]
    assert isinstance(counts, dict)
    assert {name: number for name, number in counts.items() if number} == expected


def assert_results_account_for_every_line(place: Place) -> None:
    newest = place.manager.newest_run()
    assert newest is not None
    rows = list(csv.reader(place.results(newest["id"]).splitlines()[1:]))
    assert [int(row[0]) for row in rows] == list(range(2, 1199 + 2))


def test_demo_runs_by_itself(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path / "home")}
    environment.pop("SIS_SYNC_DATA_FOLDER", None)
    command = [sys.executable, "-m", "sis_sync", "demo", "--once"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "Day 1: 1,208 created, 0 updated, 0 restored, 0 unchanged, 0 ignored, 0 failed, 0 deleted; applied",
        "Day 2: 9 created, 60 updated, 0 restored, 1,122 unchanged, 0 ignored, 2 failed, 24 deleted; applied",
        "Day 3: 0 created, 0 updated, 6 restored, 1,191 unchanged, 0 ignored, 2 failed, 0 deleted; applied",
    ]


@pytest.mark.night
def test_ended_demo_leaves_nothing_running(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    command = [sys.executable, "-m", "sis_sync", "demo", "--folder", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        address = next(line.split()[-1] for line in process.stdout if line.startswith("Address:"))
        assert httpx.get(address, follow_redirects=True).status_code == httpx.codes.OK
        process.terminate()
    assert process.returncode == 143
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)
