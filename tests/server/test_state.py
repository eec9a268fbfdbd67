"""The accounts that a plan is made against: any change before it is applied is noticed."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kit.rosters import imported, needs_approval, send, student, sync
from pytest_django.fixtures import Settings

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.engine.duckdb import open_session
from sis_sync.server.accounts.models import Account
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs import snapshot
from sis_sync.server.runs.approval import approve_run
from sis_sync.server.runs.files import run_files
from sis_sync.server.runs.flow import apply_run, plan_run
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.results import results_of
from sis_sync.server.runs.snapshot import export_directory
from sis_sync.steps.plan.plan import plan_digest

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases_at_night]

ODD_TEXTS = (
    "O'Neil",
    'Anna "Ann"',
    "a,b;c",
    "50 %% %s %(x)s",
    "two\nlines",
    "back\\slash",
    "José 漢字",
    " edge ",
    "\\.",
)


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


def exported(run: Run, folder: Path, now: datetime) -> dict[str, dict[str, str]]:
    """The accounts as the engine is given them, by their IDs in the database."""
    files = export_directory(run, folder, now=now)
    with files.accounts.open(encoding="utf-8", newline="") as file:
        return {row["account_id"]: row for row in csv.DictReader(file)}


@pytest.mark.both_databases
@pytest.mark.parametrize("piece_rows", [1, 2, 20_000])
def test_accounts_are_exported_unchanged(
    piece_rows: int, district: Org, north: Org, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "PIECE_ROWS", piece_rows)
    sync(district, *(student(f"S{number}") for number in range(len(ODD_TEXTS))), now=now)
    for number, text in enumerate(ODD_TEXTS):
        Account.objects.filter(custom_id=f"S{number}").update(last_name=text, middle_name=text[::-1], position=text)
    found = exported(send(district, student("S1"), now=now), tmp_path, now)
    accounts = Account.objects.filter(school_system=district.school_system).select_related("org")
    assert found.keys() == {str(account.pk) for account in accounts}
    for account in accounts:
        row = found[str(account.pk)]
        expected = {name: getattr(account, name) or "" for name in FIELD_NAMES if hasattr(account, name)}
        expected["school_district_external_id"] = account.org.external_id or ""
        assert {name: row[name] for name in FIELD_NAMES} == expected


EDITS: list[dict[str, Any]] = [
    {"first_name": "Edited"},
    {"middle_name": "Edited"},
    {"last_name": "Edited"},
    {"last_name": "Okafor "},
    {"email": "edited@riverbend.example"},
    {"email": "S6@riverbend.example"},
    {"custom_id": "S7-edited"},
    {"user_type": "Teacher"},
    {"position": "Edited"},
    {"grade": "3"},
    {"status": "Disabled"},
    {"is_protected": True},
    {"is_held_by_hand": True},
    {"deleted_at": datetime(2026, 8, 1, tzinfo=UTC)},
]


def test_every_edit_is_noticed(district: Org, north: Org, alice: Account, now: datetime) -> None:
    """In one run, because each edited account is counted."""
    people = [student(f"S{number}") for number in range(1, len(EDITS) + 1)]
    imported(district, *people, now=now)
    needs_approval(district, "partial")
    run = sync(district, *({**each, "grade": "9"} for each in people), now=now)
    approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", now=now)
    ids = dict(Account.objects.filter(user_type="Student").values_list("custom_id", "pk"))
    for number, edit in enumerate(EDITS, 1):
        Account.objects.filter(pk=ids[f"S{number}"]).update(**edit)
    apply_run(run.pk, now=now)

    run.refresh_from_db()
    assert (run.state, run.decision_reason) == (
        "out_of_date",
        f"{len(EDITS)} accounts that it touches were changed since",
    )
    assert not Account.objects.filter(grade="9").exists()


@pytest.mark.both_databases
def test_move_to_school_is_noticed(district: Org, north: Org, south: Org, alice: Account, now: datetime) -> None:
    sync(district, student("S1"), now=now)
    needs_approval(district, "partial")
    run = sync(district, student("S1", grade="9"), now=now)
    approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", now=now)
    Account.objects.filter(custom_id="S1").update(org=south)
    apply_run(run.pk, now=now)
    run.refresh_from_db()
    assert (run.state, Account.objects.get(custom_id="S1").org) == ("out_of_date", south)


def test_unseen_account_is_not_changed(district: Org, north: Org, alice: Account, now: datetime) -> None:
    sync(district, student("S1"), now=now)
    needs_approval(district, "partial")
    run = sync(district, student("S1", grade="9"), now=now)
    approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", now=now)
    files = run_files(run)
    seen = files.seen
    with open_session(memory_limit_mb=256, threads=1) as session:
        session.run("CREATE TABLE nobody AS SELECT * FROM read_parquet(:seen) WHERE false", seen=str(seen))
        session.run("COPY nobody TO :seen (FORMAT parquet)", seen=str(seen))
    digest = plan_digest(*files.stored_plan)
    files.plan.parent.rename(files.folder / digest)
    Run.objects.filter(pk=run.pk).update(plan_digest=digest)
    apply_run(run.pk, now=now)
    run.refresh_from_db()
    assert (run.state, Account.objects.get(custom_id="S1").grade) == ("out_of_date", "7")


def test_same_input_same_plan(district: Org, north: Org, now: datetime, settings: Settings) -> None:
    sync(district, *(student(f"S{number}") for number in range(30)), now=now)
    needs_approval(district, "full")
    rows = [student(f"S{number}", grade="9" if number % 3 else "7") for number in range(3, 40)]
    first = send(district, *rows, mode="full", now=now)
    plan_run(first.pk, now=now)
    settings.SIS_SYNC_THREADS, settings.SIS_SYNC_MEMORY_MB = 1, 256
    second = send(district, *rows, mode="full", now=now)
    plan_run(second.pk, now=now)
    first.refresh_from_db()
    second.refresh_from_db()
    assert run_files(first).plan.read_bytes() == run_files(second).plan.read_bytes()
    assert run_files(first).unchanged.read_bytes() == run_files(second).unchanged.read_bytes()
    assert results_of(first).read_bytes() == results_of(second).read_bytes()
