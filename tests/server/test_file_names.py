"""Files with odd and long names are planned like any other."""

from datetime import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from kit.rosters import roster, student, sync

from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.models import Run

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("\u044f" * 200 + ".csv", "\u044f.csv"),
        ("x" + "\u044f" * 200 + ".csv", "\u044f.csv"),
        ("\U0001f600" * 100 + ".tsv", "\U0001f600.tsv"),
        ("x" * 300 + ".csv", "x.csv"),
        ("..", "roster.csv"),
    ],
)
def test_any_file_name_is_planned(district: Org, north: Org, now: datetime, name: str, end: str) -> None:
    run = sync(district, student("S1"), file_name=name, now=now)
    assert (run.state, len(run.file_name.encode()) <= 255) == ("applied", True)
    assert run.file_name.endswith(end)


def test_long_name_may_be_all_behind_a_dot(as_alice: Client, north: Org) -> None:
    name = f"1.{'x' * 253}"
    file = SimpleUploadedFile(name, roster(student("S1")))
    assert as_alice.post("/bulk", {"mode": "partial", "file": file}).status_code == 303
    assert Run.objects.get().file_name == name
