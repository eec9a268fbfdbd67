"""Rosters for tests: people as rows, rows as files, files as runs that are planned."""

import csv
import io
import re
from datetime import datetime, timedelta
from typing import Any

from django.test import Client
from django.urls import reverse

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.plan import Counts
from sis_sync.server.accounts.models import Account
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.approval import approve_run
from sis_sync.server.runs.models import ModeSettings, Run
from sis_sync.server.runs.permission import leaving
from sis_sync.server.runs.receive import Upload, receive_run
from sis_sync.server.runs.worker import work_until_idle

DEFAULTS = {"middle_name": "", "position": "", "grade": "", "status": "Active"}


def student(custom_id: str, last_name: str = "Okafor", *, org: str = "N1", **values: str) -> dict[str, str]:
    """Return the row of a student of grade 7, whose address is made of the ID. `values` replace any of it."""
    row = {
        "first_name": "Sam",
        "last_name": last_name,
        "email": f"{custom_id.lower()}@riverbend.example",
        "custom_id": custom_id,
        "school_district_external_id": org,
        "user_type": "Student",
        "grade": "7",
    }
    return {**DEFAULTS, **row, **values}


def teacher(custom_id: str, last_name: str = "Ferrari", **values: str) -> dict[str, str]:
    """Return the row of a teacher."""
    return student(custom_id, last_name, **{"user_type": "Teacher", "grade": "", **values})


def roster(*rows: dict[str, str], extra: tuple[str, ...] = ()) -> bytes:
    """Return a CSV file of these rows. `extra` names columns after the ten fields."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [*FIELD_NAMES, *extra], lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def send(org: Org, *rows: dict[str, str], now: datetime, mode: str = "partial", **values: Any) -> Run:
    """Return the run of a file of these rows with the scope of `org`, received and not yet planned."""
    content = values.pop("content", None) or roster(*rows)
    values.setdefault("file_name", "people.csv")
    return receive_run(Upload(scope_org=org, mode=mode, file=io.BytesIO(content), **values), now=now)


def sync(org: Org, *rows: dict[str, str], now: datetime, mode: str = "partial", **values: Any) -> Run:
    """Return the run after all its jobs: applied, waiting or held."""
    run = send(org, *rows, now=now, mode=mode, **values)
    return settled(run, now=now)


def settled(run: Run, *, now: datetime) -> Run:
    """Return the run after the worker has done every job."""
    work_until_idle(clock=lambda: now)
    run.refresh_from_db()
    return run


def approved(run: Run, actor: Account, now: datetime) -> Run:
    """Return the run after a person approved its plan, whatever holds it, and the worker has done every job."""
    approve_run(run=run, digest=run.plan_digest, by=actor, reason="checked", typed_deletions=leaving(run), now=now)
    return settled(run, now=now)


def imported(org: Org, *rows: dict[str, str], now: datetime, **values: Any) -> Run:
    """Return the applied run of a file, approved by a manager of the district if a guard holds it."""
    run = sync(org, *rows, now=now, **values)
    if run.state == "applied":
        return run
    managers = Account.objects.filter(rights__org__school_system=org.school_system, rights__org__kind="district")
    return approved(run, managers.earliest("pk"), now)


def had_leavers(org: Org, now: datetime) -> None:
    """Record that people left in an earlier run of a complete list, so that the next one is not the first."""
    Run.objects.create(
        school_system=org.school_system,
        scope_org=org,
        mode="staff",
        state="applied",
        file_name="before.csv",
        file_size_bytes=0,
        counts=Counts(delete=1).as_dict(),
        settings_used={"on_absent": "delete"},
        applied_at=now - timedelta(days=60),
        decided_at=now - timedelta(days=60),
    )


def needs_approval(org: Org, mode: str, *, required: bool = True, **values: Any) -> None:
    """Set the mode's settings."""
    found = ModeSettings.objects.filter(school_system=org.school_system, mode=mode)
    found.update(requires_approval=required, **values)


def save_mode_settings(client: Client, mode: str, values: dict[str, str], **ticked: str) -> Any:
    """Send the form of a mode's settings, and then the page that shows old and new values, with these fields ticked."""
    address = reverse("web:mode_settings", args=[mode])
    review = client.post(address, values)
    hidden = dict(re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', review.content.decode()))
    return client.post(address, {**hidden, **ticked}) if hidden.get("reviewed") else review
