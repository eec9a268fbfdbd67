"""Files with odd and long names are planned like any other."""

from datetime import datetime

import pytest
from kit.rosters import student, sync

from sis_sync.server.orgs.models import Org

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
