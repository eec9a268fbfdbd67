"""The commands that set a server up, run in this process on the database of the tests."""

import io
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from kit.commands import Said, command

from sis_sync.server.accounts.models import Account
from sis_sync.server.jobs.lock import purge_lock
from sis_sync.server.orgs.models import Org, SchoolSystem
from sis_sync.server.orgs.services import create_org
from sis_sync.server.runs.files import data_folder
from sis_sync.server.runs.purge import run_files

pytestmark = pytest.mark.django_db

ALICE = ("--email", "alice@riverbend.example", "--first-name", "Alice", "--last-name", "Abara")
NEW_SYSTEM = ("--school-system", "riverbend", "--name", "Riverbend Unified")


def create_admin(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *options: str, password: str = "Blue-heron-61"
) -> Said:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    return command(capsys, "server", "create-admin", *ALICE, *options)


def test_new_system_needs_a_name(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    said = create_admin(capsys, monkeypatch, "--school-system", "riverbend")
    assert (said.exit_code, "--name" in said.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "password"),
    [
        ((), ""),
        ((), "short"),
        (("--email", "nobody"), "Blue-heron-61"),
        (("--time-zone", "Mars/Base"), "Blue-heron-61"),
    ],
)
def test_wrong_administrator_makes_nothing(
    options: tuple[str, ...],
    password: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert create_admin(capsys, monkeypatch, *NEW_SYSTEM, *options, password=password).exit_code == 2
    assert not SchoolSystem.objects.exists()
    assert not Account.objects.exists()


def test_orgs_are_imported(
    school_system: SchoolSystem, now: datetime, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    create_org(school_system=school_system, kind="school", name="North", external_id="N1", actor=None, now=now)
    file = tmp_path / "orgs.csv"
    file.write_text("external_id,name,kind\nN1,North,school\nS1,South,school\n", encoding="utf-8")
    said = command(capsys, "server", "import-orgs", file)
    assert (said.exit_code, said.out) == (0, "1 created, 0 updated, 1 unchanged.\n")
    said = command(capsys, "server", "import-orgs", tmp_path / "none.csv")
    assert (said.exit_code, f"There is no file {tmp_path / 'none.csv'}." in said.err) == (3, True)
    file.write_text("external_id,name,kind\nN2,North,college\n", encoding="utf-8")
    said = command(capsys, "server", "import-orgs", file)
    refused = 'Line 2: "college" is not a kind of org.' in said.err
    assert (said.exit_code, refused, "Nothing was imported." in said.err) == (3, True, True)
    assert set(Org.objects.values_list("external_id", flat=True)) == {None, "N1", "S1"}


def test_openapi_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    said = command(capsys, "server", "openapi")
    assert (said.exit_code, '"openapi": "3.1.0"' in said.out) == (0, True)


def test_purge(
    school_system: SchoolSystem, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command(capsys, "server", "purge").out == "Nothing is older than its time.\n"
    for key in ("one", "two"):
        Session.objects.create(session_key=key, session_data="", expire_date=timezone.now() - timedelta(days=1))
    said = command(capsys, "server", "purge", "--dry-run", "--json")
    assert (said.exit_code, said.document["dry_run"], said.document["removed"]["sessions"]) == (0, True, 2)
    assert command(capsys, "server", "purge", "--dry-run").out == "Would remove 2 expired sessions.\n"
    assert command(capsys, "server", "purge").out == "Removed 2 expired sessions.\n"

    with purge_lock():
        said = command(capsys, "server", "purge")
    assert (said.exit_code, "Another process purges this server." in said.err) == (11, True)

    def refuse(_path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    orphan = data_folder() / "runs" / "999999"
    orphan.mkdir(parents=True)
    os.utime(orphan, (0, 0))
    with monkeypatch.context() as patch:
        patch.setattr(run_files, "remove_path", refuse)
        said = command(capsys, "server", "purge")
    assert (said.exit_code, "1 file or folder could not be removed" in said.err) == (3, True)
    assert command(capsys, "server", "purge").out == "Removed 1 file or folder of a crash.\n"
    assert not orphan.exists()
