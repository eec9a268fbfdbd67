"""An address that somebody held here once is not made for another person, also after the account was removed."""

from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from kit.rosters import approved, imported, needs_approval, student, sync
from pytest_django.fixtures import Settings

from sis_sync.server.accounts.held_addresses import digest_of, key_of
from sis_sync.server.accounts.models import Account, HeldAddress
from sis_sync.server.accounts.services import delete_accounts, update_account
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.purge.purge import purge, total

pytestmark = pytest.mark.django_db
MAPPING = (
    "mapper.m.default.email={first_name:lower:first 1}{last_name:lower}@riverbend.example\n"
    "mapper.m.unique.email=number\n"
)


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path / "data"
    (tmp_path / "data").mkdir()


def made(org: Org, custom_id: str, now: datetime, **values: str) -> str:
    """The address of a newcomer, whose row has none unless `values` say so."""
    row = student(custom_id, "Ruiz", **{"email": "", **values})
    imported(org, row, now=now, mapping_lines=MAPPING)
    return Account.objects.get(custom_id=custom_id).email.partition("@")[0]


@pytest.mark.both_databases
def test_released_address_is_not_made_again(district: Org, north: Org, alice: Account, now: datetime) -> None:
    needs_approval(district, "partial", required=False)
    assert made(district, "S1", now) == "sruiz"
    renamed = Account.objects.get(custom_id="S1")
    update_account(account=renamed, values={"email": "kim@riverbend.example"}, actor=alice, now=now)
    assert made(district, "S2", now) == "sruiz2"
    kept = [student("S1", "Ruiz", email="kim@riverbend.example"), student("S2", "Ruiz", email="own@riverbend.example")]
    imported(district, *kept, now=now)  # a file changes the address of S2
    assert made(district, "S3", now) == "sruiz3"
    leaves = sync(district, *kept, mode="students", now=now)
    assert approved(leaves, alice, now).state == "applied"  # S3 is absent
    assert made(district, "S4", now) == "sruiz4"
    delete_accounts(accounts=[Account.objects.get(custom_id="S4")], actor=alice, now=now)

    later = now + timedelta(days=181)
    assert total(purge(now=later))["people"] == 2
    assert made(district, "S5", later) == "sruiz5"
    assert made(district, "S6", later, email="sruiz3@riverbend.example") == "sruiz3"  # a row may still give it


def test_addresses_before_the_migration_are_remembered(
    district: Org, north: Org, alice: Account, now: datetime
) -> None:
    needs_approval(district, "partial", required=False)
    assert made(district, "S1", now) == "sruiz"
    account = Account.objects.get(custom_id="S1")
    update_account(account=account, values={"email": "Kim@riverbend.example"}, actor=alice, now=now)
    delete_accounts(accounts=[account], actor=alice, now=now)
    before = set(HeldAddress.objects.values_list("digest", flat=True))
    HeldAddress.objects.all().delete()
    import_module("sis_sync.server.accounts.migrations.0006_held_addresses").remember_released_addresses(apps, None)
    assert set(HeldAddress.objects.values_list("digest", flat=True)) == before
    key = key_of(district.school_system_id)
    assert before == {digest_of(f"{name}@riverbend.example", key=key) for name in ("sruiz", "KIM")}
    assert key != key_of(district.school_system_id + 1)
