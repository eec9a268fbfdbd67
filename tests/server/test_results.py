"""The results CSV: made when someone asks for it, the same whenever that is, and shorter once the file is gone."""

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from kit.plans import at_night
from kit.rosters import needs_approval, send, settled, student, sync

from sis_sync.engine.duckdb import open_session
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.services import delete_accounts
from sis_sync.server.errors import NotNow
from sis_sync.server.keys.services import create_key
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs import results
from sis_sync.server.runs.files import run_files
from sis_sync.server.runs.memory import memory_folder
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.purge.purge import purge, total
from sis_sync.server.runs.results import results_of
from sis_sync.server.runs.selectors import plan_rows
from sis_sync.server.runs.undo import ask_undo
from sis_sync.steps.plan.plan import unchanged_rows

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
KEEPING = "mapper.ours.keep.grade=\nmapper.ours.column.grade=class\nmapper.ours.default.grade=9\n"


@pytest.fixture
def now() -> datetime:
    """The real clock: the calls look at it."""
    return timezone.now()


@pytest.fixture
def mixed(district: Org, north: Org, now: datetime) -> Run:
    """A run with a new, a changed, an unchanged and a failed row with a formula, and values that are not as stored."""
    sync(district, student("S1"), student("S2"), student("S3", grade=""), now=now)
    changed = student("S2", last_name="Cole", grade="8", status="active")
    rows = (student("S1", user_type="STUDENT"), changed, student("S3", grade=""), student("S4", email="=none"))
    return sync(district, *rows, student("S5", position="Aide"), now=now)


def rows_in(text: bytes) -> dict[str, dict[str, str]]:
    return {row["line"]: row for row in csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline=""))}


def answer(org: Org, run: Run, *scopes: str, query: str = "") -> tuple[int, bytes]:
    """What a new key, which then counts as the sender, gets of the results."""
    key, secret = create_key(
        school_system=org.school_system, org=org, name="pc", scopes=scopes, actor=None, now=timezone.now()
    )
    Run.objects.filter(pk=run.pk).update(api_key=key)
    found = Client().get(f"/api/v1/runs/{run.pk}/results.csv{query}", headers={"Authorization": f"Bearer {secret}"})
    body = b"".join(found.streaming_content) if found.streaming else found.content  # type: ignore[attr-defined]
    return found.status_code, body


def test_pages_name_those_who_stay_as_they_are(mixed: Run) -> None:
    Account.objects.filter(custom_id="S3").update(first_name="Renamed")
    names = {row.custom_id: row.person for row in plan_rows(run=mixed, action="unchanged").rows}
    assert names == {each.custom_id: each.full_name for each in Account.objects.filter(custom_id__in=["S1", "S3"])}
    assert names["S3"].startswith("Renamed ")


@pytest.mark.night
def test_plan_of_an_earlier_version_is_read(mixed: Run, tmp_path: Path) -> None:
    """It has all that is stored of unchanged rows in one file."""
    files, wide = run_files(mixed), tmp_path / "unchanged.parquet"
    before = results_of(mixed)
    expected, rows = before.read_bytes(), plan_rows(run=mixed)
    with open_session() as session:
        session.run(f"COPY ({unchanged_rows(files.unchanged)}) TO :wide (FORMAT parquet)", wide=str(wide))
    wide.replace(files.unchanged)
    files.notes.unlink()
    before.unlink()
    assert results_of(mixed).read_bytes() == expected
    assert plan_rows(run=mixed) == rows


def test_values_are_those_of_the_file(mixed: Run) -> None:
    rows = rows_in(results_of(mixed).read_bytes())
    assert [row["action"] for row in rows.values()] == ["unchanged", "update", "unchanged", "failed", "create"]
    assert (rows["2"]["user_type"], rows["2"]["email"]) == ("STUDENT", "s1@riverbend.example")
    assert (rows["3"]["last_name"], rows["3"]["old_last_name"]) == ("Cole", "Okafor")
    assert (rows["3"]["grade"], rows["3"]["old_grade"], rows["3"]["status"]) == ("8", "7", "active")
    assert rows["5"]["email"] == "'=none"
    assert (rows["4"]["grade"], rows["6"]["position"]) == ("", "Aide")


def test_planning_writes_no_results(mixed: Run) -> None:
    folder = run_files(mixed).plan.parent
    assert [path.name for path in folder.glob("*results*")] == []
    first = results_of(mixed)
    made = first.stat().st_mtime_ns
    assert (results_of(mixed), results_of(mixed).stat().st_mtime_ns) == (first, made)
    assert first.stat().st_mode & 0o077 == 0


def test_kept_values_are_those_of_planning(district: Org, north: Org, now: datetime) -> None:
    sync(district, student("S1", grade="8"), now=now)
    needs_approval(district, "partial")
    run = sync(district, student("S1", grade=""), mapping_lines=KEEPING, now=now)
    assert run.counts["unchanged"] == 1
    Account.objects.filter(custom_id="S1").update(grade="10", last_name="Later")
    (row,) = rows_in(results_of(run).read_bytes()).values()
    assert (row["action"], row["grade"], row["last_name"]) == ("unchanged", "8", "Okafor")


@pytest.mark.night
def test_without_its_file_unchanged_rows_are_a_count(
    as_alice: Client, alice: Account, district: Org, mixed: Run, now: datetime
) -> None:
    whole = rows_in(results_of(mixed).read_bytes())
    assert "changed nothing" not in as_alice.get(f"/runs/{mixed.pk}").content.decode()
    total(purge(now=now + 31 * DAY))
    mixed.refresh_from_db()
    short = {line: row for line, row in whole.items() if row["action"] != "unchanged"}
    assert rows_in(results_of(mixed).read_bytes()) == short
    assert sorted(path.name for path in run_files(mixed).plan.parent.glob("*results*")) == ["results-short.csv"]
    as_alice.force_login(alice)  # the purge ended the session
    page = as_alice.get(f"/runs/{mixed.pk}").content.decode()
    assert "The results have all rows but the 2 rows that changed nothing." in page
    assert rows_in(answer(district, mixed, "read")[1]) == short


@pytest.mark.night
def test_file_that_this_version_refuses(mixed: Run) -> None:
    short = results_of(mixed, is_whole=False).read_bytes()
    Run.objects.filter(pk=mixed.pk).update(mapping_name="preset of an earlier version")
    mixed.refresh_from_db()
    assert results_of(mixed).read_bytes() == short
    run_files(mixed).plan.touch()
    run_files(mixed).original.write_text("Sam,Okafor\n")
    run_files(mixed).reading.unlink(missing_ok=True)
    Run.objects.filter(pk=mixed.pk).update(mapping_name="")
    mixed.refresh_from_db()
    assert results_of(mixed).read_bytes() == short


def test_field_settings_are_those_of_the_plan(district: Org, north: Org, now: datetime) -> None:
    key, secret = create_key(
        school_system=district.school_system, org=district, name="pc", scopes=("upload",), actor=None, now=now
    )

    def said(run: Run) -> dict[str, object]:
        found = Client().get(f"/api/v1/runs/{run.pk}", headers={"Authorization": f"Bearer {secret}"}).json()
        return dict(found["field_settings"])

    needs_approval(district, "partial", sets_email="off")
    run = send(district, student("S1"), by=key, now=now)
    assert said(run) == {}
    settled(run, now=now)
    assert (said(run)["email"], said(run)["names"]) == ("off", "unless_edited")
    Run.objects.filter(pk=run.pk).update(settings_used={"plan_format": 2})  # names were always set then
    assert (said(run)["email"], said(run)["names"]) == ("on", "always")


@pytest.mark.night
def test_results_of_an_undo_need_no_file(district: Org, north: Org, alice: Account, now: datetime) -> None:
    sync(district, student("S1"), student("S2"), now=now)
    run = sync(district, student("S1", last_name="Cole"), student("S2", last_name="Cole"), now=now)
    Account.objects.filter(custom_id="S2").update(last_name="Okafor")
    undo = settled(ask_undo(run=run, by=alice, now=now), now=now)
    rows = rows_in(results_of(undo).read_bytes())
    assert [(row["action"], row["last_name"]) for row in rows.values()] == [
        ("update", "Okafor"),
        ("ignored", "Okafor"),
    ]


@pytest.mark.parametrize(
    ("scopes", "whole", "short"),
    [
        (("read",), ["unchanged", "update", "unchanged", "failed", "create"], ["3", "5", "6"]),
        (("upload",), ["taken", "taken", "taken", "failed", "taken"], ["5"]),
        *at_night(
            (("upload", "own_results"), ["unchanged", "update", "unchanged", "failed", "create"], ["3", "5", "6"])
        ),
    ],
)
def test_key_asks_without_unchanged_rows(
    district: Org, north: Org, now: datetime, scopes: tuple[str, ...], whole: list[str], short: list[str]
) -> None:
    sync(district, student("S1"), student("S2"), student("S3"), now=now)
    key, secret = create_key(
        school_system=district.school_system, org=district, name="pc", scopes=("upload", *scopes), actor=None, now=now
    )
    rows = (student("S1"), student("S2", grade="8"), student("S3"), student("S4", email="none"), student("S5"))
    run = sync(district, *rows, by=key, now=now)
    assert run.api_key == key
    answers = []
    for query in ("", "?unchanged=false"):
        path = f"/api/v1/runs/{run.pk}/results.csv{query}"
        found = Client().get(path, headers={"Authorization": f"Bearer {secret}"})
        answers.append(rows_in(b"".join(found.streaming_content)))  # type: ignore[attr-defined]
    assert [row["action"] for row in answers[0].values()] == whole
    assert answers[1] == {line: answers[0][line] for line in short}
    assert {line: row["custom_id"] for line, row in answers[0].items() if row["action"] == "unchanged"} == (
        {} if "taken" in whole else {"2": "S1", "4": "S3"}
    )


@pytest.mark.night
def test_results_that_an_earlier_version_wrote_for_a_sender(district: Org, mixed: Run) -> None:
    """It wrote them whole, and nothing from which they could be made again."""
    files = run_files(mixed)
    whole = files.results_path(is_told=True, is_whole=True)
    whole.write_bytes(b"line,action\n2,taken\n")
    files.told.unlink(missing_ok=True)
    found = [answer(district, mixed, "upload", query=query) for query in ("", "?unchanged=false")]
    assert found == [(200, whole.read_bytes())] * 2


def test_removed_people_are_in_no_results(district: Org, north: Org, alice: Account, mixed: Run, now: datetime) -> None:
    whole, short = results_of(mixed), results_of(mixed, is_whole=False)
    made = short.read_bytes()
    delete_accounts(accounts=Account.objects.filter(custom_id="S2"), actor=alice, now=now - 150 * DAY)
    Run.objects.filter(pk=mixed.pk).update(received_at=now + 29 * DAY)  # its own time is not over
    month = f"{now + 31 * DAY:%Y-%m}"
    own, other = (memory_folder() / f"{system}-{month}.duckdb" for system in (district.school_system_id, 0))
    own.parent.mkdir(exist_ok=True)
    own.touch()
    other.touch()
    assert total(purge(now=now + 31 * DAY))["people"] == 1
    mixed.refresh_from_db()
    assert (whole.exists(), short.exists(), own.exists(), other.exists()) == (False, False, False, True)
    other.unlink()
    short.write_bytes(made)  # by someone who asked for them while the purge removed the person
    plan = run_files(mixed).plan
    plan.touch()
    assert b"S2" not in results_of(mixed).read_bytes()
    assert b"S5" in results_of(mixed).read_bytes()


def test_one_at_a_time(mixed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "WAIT_SECONDS", 0.01)
    with results._one_at_a_time(), pytest.raises(NotNow, match="being made"):
        results_of(mixed)
    whole = results_of(mixed)
    with results._one_at_a_time():
        assert results_of(mixed) == whole
