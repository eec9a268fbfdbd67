"""The purge: what is older than its time goes, whatever is needed stays, and nothing is left of a purged person."""

import json
import os
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from subprocess import PIPE
from time import sleep
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from kit.plans import TIMES
from kit.rosters import needs_approval, send, student, sync
from kit.servers import Scene, kill
from kit.traces import found_in_files, found_in_tables, texts_of_tables
from pytest_django.fixtures import Settings

from sis_sync.core.run_states import DECIDABLE, ENDED
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.services import delete_accounts
from sis_sync.server.audit.models import AccountChange, AuditEntry, Purge
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.keys.services import create_key
from sis_sync.server.orgs.models import Org, SchoolSystem
from sis_sync.server.orgs.services import update_org
from sis_sync.server.runs.approval import reject_run
from sis_sync.server.runs.expiry import expire_waiting
from sis_sync.server.runs.files import data_folder, run_files
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.purge import deleted_people, traces
from sis_sync.server.runs.purge import run_files as run_files_module
from sis_sync.server.runs.purge.purge import purge, total
from sis_sync.server.runs.selectors import plan_rows

pytestmark = pytest.mark.django_db
on_both = pytest.mark.both_databases

DAY = timedelta(days=1)
CANARY = {"first_name": "Canaryfirst", "last_name": "Canarylast", "email": "canarymail@riverbend.example"}


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path / "data"
    (tmp_path / "data").mkdir()


def purged(now: datetime) -> Counter[str]:
    """What a purge at this time removes, after a trial that names the same and removes nothing."""
    before = stored()
    trial = total(purge(now=now, is_trial=True))
    assert stored() == before
    done, again = total(purge(now=now)), total(purge(now=now))
    for counts in (trial, done, again):
        del counts["feed_entries"]  # they have the time of the database, and removing people adds some (test_feed.py)
    assert done == trial
    assert again == {key: count for key, count in done.items() if key == "postponed"}
    return done


def stored() -> tuple[set[str], dict[str, str]]:
    """The names of all files, and the content of all tables."""
    return {str(path) for path in data_folder().rglob("*") if "locks" not in path.parts}, texts_of_tables()


@on_both
def test_each_thing_has_its_time(
    district: Org, north: Org, alice: Account, district_key: str, client: Client, now: datetime
) -> None:
    run = sync(district, student("S1"), student("S2", user_type="Canarywizard"), now=now)
    files = run_files(run)
    assert purged(now + 29 * DAY) == {}
    assert files.original.is_file()

    assert purged(now + 30 * DAY) == {"files": 1, "jobs": 2}
    assert not files.original.exists()
    assert all(path.is_file() for path in (*files.stored_plan, files.failed, files.findings))

    assert purged(now + 89 * DAY) == {}
    assert purged(now + 90 * DAY) == {"reports": 1}
    assert not files.folder.exists()
    run.refresh_from_db()
    assert (run.counts["create"], run.file_removed_at, run.report_removed_at) == (
        1,
        now + 30 * DAY,
        now + 90 * DAY,
    )

    client.force_login(alice)
    page = client.get(f"/runs/{run.pk}").content.decode()
    assert "The report of this run was removed after 90 days." in page
    assert ("results.csv" in page, "Canarywizard" in page, ">Created<" in page) == (False, False, True)
    for name in ("results.csv", "failed.csv"):
        answer = client.get(f"/runs/{run.pk}/{name}")
        assert (answer.status_code, b"was removed after 90 days" in answer.content) == (410, True)
        answer = client.get(f"/api/v1/runs/{run.pk}/{name}", headers={"Authorization": f"Bearer {district_key}"})
        assert (answer.status_code, answer.headers["Content-Type"]) == (410, "application/problem+json")
        assert answer.json()["detail"] == "The report of this run was removed after 90 days."

    assert AccountChange.objects.count() == 1
    done = purged(now + 1095 * DAY)
    assert (done["changes"], AccountChange.objects.count()) == (1, 0)
    assert not AuditEntry.objects.filter(at__lte=now).exists()
    assert Account.objects.filter(custom_id="S1").exists()
    assert Run.objects.filter(pk=run.pk).exists()  # guards compare with its counts


@on_both
@pytest.mark.night
def test_retention_is_of_the_school_system(
    school_system: SchoolSystem, other_system: SchoolSystem, district: Org, north: Org, now: datetime
) -> None:
    SchoolSystem.objects.filter(pk=school_system.pk).update(keep_files_days=60, keep_history_days=400)
    run = sync(district, student("S1"), now=now)
    assert purged(now + 59 * DAY)["files"] == 0
    assert purged(now + 60 * DAY)["files"] == 1
    assert run_files(run).plan.is_file()
    purged(now + 400 * DAY)
    logs = AuditEntry.objects.filter(at__lte=now)
    assert set(logs.values_list("school_system", flat=True)) == {other_system.pk}


@pytest.mark.night
def test_undecided_run_keeps_its_files(district: Org, north: Org, alice: Account, now: datetime) -> None:
    needs_approval(district, "partial")
    run = sync(district, student("S1"), now=now)
    waiting = {path: path.read_bytes() for path in run_files(run).folder.rglob("*") if path.is_file()}
    received = send(district, student("S2"), now=now)
    purged(now + 300 * DAY)
    assert {path: path.read_bytes() for path in waiting} == waiting
    assert run_files(received).original.is_file()

    reject_run(run=run, reason="a test", by=alice, now=now + 2 * DAY)
    purged(now + 31 * DAY)
    assert run_files(run).original.is_file()  # its last step counts, not its first
    assert purged(now + 32 * DAY)["files"] == 1


def test_refused_file_is_kept_7_days(district: Org, north: Org, now: datetime) -> None:
    run = sync(district, content=b"no,header\n", now=now)
    assert run.state == "refused"
    run_files(run).original.write_bytes(b"no,header\n")
    assert purged(now + 6 * DAY) == {}
    assert purged(now + 7 * DAY) == {"files": 1}
    assert not run_files(run).original.exists()


@on_both
@pytest.mark.night
def test_guards_remember_the_last_file(district: Org, north: Org, alice: Account, now: datetime) -> None:
    needs_approval(district, "students", required=False)
    people = [student(f"S{number}") for number in range(100)]
    first = sync(district, *people, now=now, mode="students")
    last = sync(district, *people, now=now + DAY, mode="students")
    purged(now + 95 * DAY)
    assert not run_files(first).folder.exists()
    assert [path.name for path in run_files(last).folder.iterdir()] == ["remembered.parquet"]
    assert not found_in_files(run_files(last).folder, ["Okafor", "riverbend", "Sam"])

    held = sync(district, *people[:95], now=now + 96 * DAY, mode="students")
    assert "guard.tail" in [guard["code"] for guard in held.guards]
    newest = sync(district, *people, now=now + 97 * DAY, mode="students")
    assert newest.state == "applied"
    purged(now + 98 * DAY)
    assert not run_files(last).folder.exists()


def test_nothing_is_left_of_a_person(district: Org, north: Org, alice: Account, now: datetime) -> None:
    SchoolSystem.objects.filter(pk=district.school_system_id).update(keep_files_days=365, keep_reports_days=365)
    canary = student("CANARYID", **CANARY)
    sync(district, canary, student("S1"), student("S2"), now=now)
    failing = {**canary, "user_type": "Wizard", "position": "Canaryposition"}
    sync(district, student("S1", user_type="Wizard"), failing, student("S2"), now=now)
    person = Account.objects.get(custom_id="CANARYID")
    needs_approval(district, "students", required=False)
    delete_accounts(accounts=[person], actor=alice, now=now + DAY)
    by_hand = sync(district, student("S1"), canary, student("S2"), now=now + 2 * DAY)
    refused = sync(district, content=b"no,header\nCanarylast,CANARYID\n", now=now + 175 * DAY)
    run_files(refused).original.write_bytes(b"no,header\nCanarylast,CANARYID\n")
    live = list(Account.objects.exclude(pk=person.pk).order_by("pk").values())

    assert purged(now + 180 * DAY)["people"] == 0
    assert found_in_tables(["canary"])
    assert purged(now + 181 * DAY)["people"] == 1
    assert found_in_tables(["canary"]) == set()
    assert found_in_files(run_files(by_hand).folder.parent, ["canary"]) == set()
    assert list(Account.objects.order_by("pk").values()) == live
    assert [row.custom_id for row in plan_rows(run=by_hand).rows] == ["S1", "S2"]


def test_one_damaged_run_stops_no_purge(
    district: Org, north: Org, alice: Account, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    Session.objects.create(session_key="old", session_data="", expire_date=now)
    SchoolSystem.objects.filter(pk=district.school_system_id).update(keep_files_days=365, keep_reports_days=365)
    damaged = sync(district, student("CANARYID", **CANARY), now=now)
    half = sync(district, student("CANARYID", **{**CANARY, "user_type": "Wizard"}), now=now)
    Run.objects.filter(pk=half.pk).update(state="cancelled", file_facts={})  # cancelled before its plan was recorded
    delete_accounts(accounts=Account.objects.filter(custom_id="CANARYID"), actor=alice, now=now)
    plan = run_files(damaged).plan
    whole = plan.read_bytes()
    plan.write_bytes(whole[: len(whole) // 2])
    done = total(purge(now=now + 181 * DAY))
    assert (done["not_removed"], done["people"], done["sessions"]) == (1, 0, 1)
    assert not found_in_files(run_files(half).folder, ["canary"])
    assert Account.objects.filter(custom_id="CANARYID").exists()  # else nothing would tell what is left of them
    assert f"run {damaged.pk} could not be removed" in caplog.text
    assert "anary" not in caplog.text

    plan.write_bytes(whole)
    assert total(purge(now=now + 181 * DAY))["people"] == 1
    assert not found_in_files(data_folder(), ["canary"])


@on_both
@pytest.mark.night
def test_named_by_undecided_run(district: Org, north: Org, alice: Account, now: datetime) -> None:
    sync(district, student("S1"), now=now)
    delete_accounts(accounts=Account.objects.filter(custom_id="S1"), actor=alice, now=now)
    needs_approval(district, "partial")
    run = sync(district, student("S1"), student("S2"), now=now + 179 * DAY)
    assert run.state == "waiting"
    assert purged(now + 181 * DAY) == {"postponed": 1, "files": 1, "jobs": 2, "reports": 1}
    reject_run(run=run, reason="a test", by=alice, now=now + 181 * DAY)
    assert purged(now + 181 * DAY)["people"] == 1
    assert not found_in_files(run_files(run).folder, ["s1@riverbend.example"])


@on_both
@pytest.mark.night
def test_restored_person_stays(
    district: Org, north: Org, alice: Account, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    SchoolSystem.objects.filter(pk=district.school_system_id).update(keep_reports_days=365)
    sync(district, student("S1"), now=now)
    person = Account.objects.get(custom_id="S1")
    delete_accounts(accounts=[person], actor=alice, now=now)

    def restored_meanwhile(*_arguments: object, **_others: object) -> None:
        Account.objects.filter(pk=person.pk).update(deleted_at=None)

    monkeypatch.setattr(deleted_people, "remove_traces", restored_meanwhile)
    assert total(purge(now=now + 200 * DAY))["people"] == 0
    assert Account.objects.filter(pk=person.pk).exists()


@pytest.mark.night
@pytest.mark.parametrize("stop_at", [0, 1, 2, 3, 5, 7, 9])
def test_purge_that_was_cut_off_goes_on(
    stop_at: int, district: Org, north: Org, alice: Account, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stop at the n-th removal of a file or the n-th file that is written again, as a killed server would."""
    SchoolSystem.objects.filter(pk=district.school_system_id).update(keep_reports_days=365)
    canary = student("CANARYID", **CANARY)
    sync(district, student("S1"), canary, now=now)
    run = sync(district, student("S1"), {**canary, "user_type": "Wizard"}, now=now)
    delete_accounts(accounts=Account.objects.filter(custom_id="CANARYID"), actor=alice, now=now)
    calls = iter(range(100))

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            if next(calls) == stop_at:
                raise KeyboardInterrupt
            return original(*arguments)

        return call

    with monkeypatch.context() as patch:
        for module, name in (
            (traces, "remove_path"),
            (traces, "replaced_whole"),
            (run_files_module, "remove_path"),
            (deleted_people, "_delete_accounts"),
        ):
            patch.setattr(module, name, counted(getattr(module, name)))
        with pytest.raises(KeyboardInterrupt):
            total(purge(now=now + 181 * DAY))
    assert Purge.objects.get().ended_at is None
    total(purge(now=now + 181 * DAY))
    assert found_in_tables(["canary"]) | found_in_files(data_folder(), ["canary"]) == set()
    assert [row.custom_id for row in plan_rows(run=run).rows] == ["S1"]


def test_rows_that_are_over(school_system: SchoolSystem, district: Org, alice: Account, now: datetime) -> None:
    for key, moment in (("old", now), ("live", now + 40 * DAY)):
        Session.objects.create(session_key=key, session_data="", expire_date=moment)
    revoked, used, kept = (
        create_key(school_system=school_system, org=district, name=name, actor=None, now=now)[0]
        for name in ("revoked", "used", "kept")
    )
    AuditEntry.objects.filter(api_key__isnull=False).delete()
    AuditEntry.objects.create(school_system=school_system, action="test", api_key=used, at=now)
    ApiKey.objects.filter(pk__in=[revoked.pk, used.pk]).update(revoked_at=now)
    year_old, newer = (
        Purge.objects.create(began_at=now + 30 * DAY - age, ended_at=now) for age in (365 * DAY, 364 * DAY)
    )
    assert purged(now + 30 * DAY) == {"sessions": 1, "keys": 1}
    assert set(ApiKey.objects.all()) == {used, kept}
    assert set(Purge.objects.filter(pk__in=[year_old.pk, newer.pk])) == {newer}
    assert Session.objects.get().session_key == "live"


def test_leftovers_and_links(district: Org, north: Org, now: datetime, tmp_path: Path) -> None:
    run = send(district, student("S1"), now=now)
    folder = run_files(run).folder
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("x")
    (folder / "being-made-1").mkdir()
    (folder / "being-made-2").symlink_to(elsewhere)
    orphan, link = folder.parent / "999", folder.parent / "998"
    orphan.mkdir()
    (orphan / "original").symlink_to(elsewhere / "precious")
    link.symlink_to(elsewhere)
    (folder.parent / "not ours").mkdir()
    left, in_use = (data_folder() / "work" / f"run-{number}-0badcafe" for number in (999, run.pk))
    left.mkdir(parents=True)
    in_use.mkdir()
    run.jobs.update(state="running")
    for path in (folder / "being-made-1", folder / "being-made-2", orphan, link, left, in_use):
        os.utime(path, (now.timestamp(), now.timestamp()), follow_symlinks=False)
    assert purged(now + DAY / 2) == {}
    assert purged(now + DAY) == {"leftovers": 5}
    assert {path.name for path in folder.parent.iterdir()} == {str(run.pk), "not ours"}
    assert (elsewhere / "precious").is_file()
    assert {path.name for path in folder.iterdir()} == {"original"}
    assert (left.exists(), in_use.exists()) == (False, True)


@pytest.mark.night
def test_folder_of_runs_that_is_a_link(district: Org, north: Org, now: datetime, tmp_path: Path) -> None:
    sync(district, student("S1"), now=now)
    runs = data_folder() / "runs"
    runs.rename(tmp_path / "elsewhere")
    runs.symlink_to(tmp_path / "elsewhere")
    before = sorted((tmp_path / "elsewhere").rglob("*"))
    delete_accounts(accounts=Account.objects.filter(custom_id="S1"), actor=None, now=now)
    assert total(purge(now=now + 400 * DAY))["not_removed"] == 2
    assert Account.objects.filter(custom_id="S1").exists()  # else nothing would tell what is left of them there
    assert sorted((tmp_path / "elsewhere").rglob("*")) == before


def test_log_of_a_person_who_was_removed(as_alice: Client, bob: Account, north: Org) -> None:
    now = timezone.now()
    update_org(org=north, name="North", external_id="N1", actor=bob, now=now)
    Account.objects.filter(pk=bob.pk).update(deleted_at=now - 180 * DAY)
    total(purge(now=now))
    assert not Account.objects.filter(pk=bob.pk).exists()
    entry = AuditEntry.objects.get(action="org.updated", former_actor=bob.pk)
    assert entry.actor is None
    page = as_alice.get("/audit").content.decode()
    assert ("a person who was removed" in page, "Brandt" in page) == (True, False)


class World:
    """A school system over some months, with files, edits by hand and purges at random."""

    def __init__(self, district: Org, alice: Account, seed: int, now: datetime) -> None:
        self.district, self.alice, self.now = district, alice, now
        self.chance = Random(seed)
        self.names = {f"CANARY{number:02d}": f"Canaryname{number:02d}x" for number in range(12)}

    def row(self, custom_id: str) -> dict[str, str]:
        name = self.names[custom_id]
        values = {"first_name": name, "user_type": self.chance.choice(["Student"] * 8 + ["Wizard"])}
        return student(custom_id, name, email=f"{name}@riverbend.example", **values)

    def step(self) -> None:
        act = self.chance.choice([self.send, self.send, self.delete, self.reject])
        act()
        self.now += self.chance.choice([0, 1, 6, 20, 60]) * DAY
        self.purge()

    def send(self) -> None:
        some = self.chance.sample(sorted(self.names), self.chance.randint(4, 12))
        mode = self.chance.choice(["partial", "students"])
        needs_approval(self.district, mode, required=self.chance.random() < 0.3)
        sync(self.district, *map(self.row, some), now=self.now, mode=mode)

    def delete(self) -> None:
        found = Account.objects.filter(custom_id__startswith="CANARY", deleted_at__isnull=True).order_by("pk")[:4]
        delete_accounts(accounts=list(found), actor=self.alice, now=self.now)

    def reject(self) -> None:
        expire_waiting(now=self.now)
        for run in Run.objects.filter(state__in=DECIDABLE):
            reject_run(run=run, reason="a test", by=self.alice, now=self.now)

    def purge(self) -> None:
        before, alive, undecided = self.here(), self.alive(), self.undecided()
        total(purge(now=self.now))
        assert (self.alive(), self.undecided()) == (alive, undecided)
        gone = [self.names[custom_id] for custom_id in before - self.here()]
        assert found_in_tables(gone) | found_in_files(data_folder(), gone) == set()
        for run in Run.objects.filter(state__in=ENDED):
            steps = (run.received_at, run.planned_at, run.decided_at, run.applied_at)
            age = self.now - max(step for step in steps if step)
            assert age < 30 * DAY or not run_files(run).original.exists()
            assert age < 90 * DAY or not run_files(run).plan.exists()
        due = Account.objects.filter(deleted_at__lte=self.now - 180 * DAY)
        assert undecided or not due.exists()

    def here(self) -> set[str]:
        found = Account.objects.filter(custom_id__in=self.names).values_list("custom_id", flat=True)
        return {str(custom_id) for custom_id in found}

    def alive(self) -> list[Any]:
        accounts = Account.objects.exclude(deleted_at__lte=self.now - 180 * DAY)
        return list(accounts.order_by("pk").values())

    def undecided(self) -> dict[Any, Any]:
        runs = list(Run.objects.exclude(state__in=ENDED).order_by("pk"))
        found: dict[Any, Any] = {run.pk: Run.objects.filter(pk=run.pk).values().get() for run in runs}
        for run in runs:
            found |= {path: path.read_bytes() for path in run_files(run).folder.rglob("*") if path.is_file()}
        return found


@on_both
@pytest.mark.night
@pytest.mark.parametrize("seed", range(10 * TIMES))
def test_random_months(seed: int, district: Org, north: Org, alice: Account, now: datetime) -> None:
    world = World(district, alice, seed, now)
    for _ in range(8):
        world.step()
    assert world.now > now + 30 * DAY


@pytest.mark.night
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_killed_purge_leaves_nothing_in_the_bytes(
    database: str, request: pytest.FixtureRequest, tmp_path: Path, now: datetime
) -> None:
    url = str(request.getfixturevalue("postgresql_url")) if database == "postgresql" else ""
    scene = Scene(tmp_path, url)
    scene.prepare(["begin"], ["send", 0, 2_000])
    with scene.worker():
        scene.wait_for("select state from runs_run", [("applied",)])
        scene.wait_for("select distinct state from jobs_job", [("done",)])  # its temporary folder is gone
    (left,) = scene.prepare(["delete", 300, 900, 181])
    for pause_seconds in (0.8, 1.1, 1.4, 1.7, 2.5):
        purging = scene.start("-m", "sis_sync", "server", "purge", stdout=PIPE, stderr=PIPE)
        sleep(pause_seconds)
        kill(purging)
        purging.communicate()
    purging = scene.start("-m", "sis_sync", "server", "purge", "--json", stdout=PIPE, stderr=PIPE)
    out, err = purging.communicate()
    assert (purging.returncode, json.loads(out)["not_removed"]) == (0, 0), err
    assert scene.ask("select count(*) from accounts_account") == [(left,)]
    gone = [f"p{number}@riverbend.example" for number in range(300, 1200)]
    assert found_in_files(tmp_path, gone) == set()
    for table in ("accounts_account", "audit_accountchange"):
        rows = str(scene.ask(f"select * from {table}"))
        assert not [text for text in gone if text in rows]
