"""First start: one link, one claim."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from sis_sync.core.errors import NotPermitted
from sis_sync.server.accounts.models import Account
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.models import Org, SchoolSystem
from sis_sync.server.orgs.selectors import is_district_manager
from sis_sync.server.setup.link import is_setup_open, make_setup_link
from sis_sync.server.setup.services import Claim, claim_setup

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases_at_night]

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path: Path, settings: Settings) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


@pytest.fixture
def token(db: None, now: datetime) -> str:
    link = make_setup_link(base_url="http://127.0.0.1:8000/", now=now)
    assert link.startswith("http://127.0.0.1:8000/setup/")
    return link.rstrip("/").rsplit("/", 1)[-1]


def claim(token: str, now: datetime, **values: str) -> Account:
    typed = {
        "system_name": "Riverbend Unified",
        "district_external_id": "RB",
        "time_zone": "America/Chicago",
        "first_name": "Alice",
        "last_name": "Abara",
        "email": "alice@riverbend.example",
        "password": PASSWORD,
        **values,
    }
    return claim_setup(Claim(**typed), token=token, now=now)


@pytest.mark.both_databases
def test_claiming_makes_the_first_manager(token: str, now: datetime) -> None:
    assert is_setup_open(token=token, now=now)
    alice = claim(token, now, school_name="North School", school_external_id="N1")
    assert is_district_manager(account=alice)
    assert alice.check_password(PASSWORD)
    assert list(Org.objects.order_by("kind").values_list("kind", "name", "external_id")) == [
        ("district", "Riverbend Unified", "RB"),
        ("school", "North School", "N1"),
    ]


@pytest.mark.both_databases
def test_the_link_is_good_once(token: str, now: datetime) -> None:
    claim(token, now)
    assert not is_setup_open(token=token, now=now)
    with pytest.raises(NotPermitted):
        claim(token, now, email="other@riverbend.example")
    with pytest.raises(NotPermitted):
        make_setup_link(base_url="http://127.0.0.1:8000", now=now)


def test_link_is_valid_an_hour(token: str, now: datetime) -> None:
    assert is_setup_open(token=token, now=now + timedelta(minutes=59))
    assert not is_setup_open(token=token, now=now + timedelta(minutes=60))
    with pytest.raises(NotPermitted):
        claim(token, now + timedelta(minutes=60))


def test_other_tokens_are_not_good(token: str, now: datetime) -> None:
    for other in ("", "x", token[:-1], token + "x", "\u00e4", "\ud800"):
        assert not is_setup_open(token=other, now=now)


def test_new_link_ends_old_one(token: str, now: datetime) -> None:
    make_setup_link(base_url="http://127.0.0.1:8000", now=now)
    assert not is_setup_open(token=token, now=now)


def test_token_is_not_stored(token: str, tmp_path: Path) -> None:
    (stored,) = tmp_path.iterdir()
    assert token not in stored.read_text()
    assert stored.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("system_name", " ", "name"),
        ("time_zone", "Moon", "time_zone"),
        ("email", "alice", "email"),
        ("first_name", "", "first_name"),
        ("password", "short", "password"),
        ("school_external_id", "RB", "school_external_id"),
    ],
)
def test_wrong_values_keep_link_open(token: str, now: datetime, field: str, value: str, named: str) -> None:
    with pytest.raises(ValuesRefused) as refused:
        claim(token, now, **{"school_name": "North", field: value})
    assert list(refused.value.errors) == [named]
    assert not SchoolSystem.objects.exists()
    assert is_setup_open(token=token, now=now)
