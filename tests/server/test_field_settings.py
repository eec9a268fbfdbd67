"""Field settings of each mode: which values a file sets on an account, and names that a person edited here."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from kit.rosters import imported, student
from pytest_django.fixtures import Settings

from sis_sync.server.accounts.edited_names import NameEdit, name_edits
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.services import update_account
from sis_sync.server.orgs.models import Org

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


def edited(of: str, actor: Account, now: datetime, **values: str) -> Account:
    """Return the account after a person changed these values of it."""
    return update_account(account=Account.objects.get(custom_id=of), values=values, actor=actor, now=now)


def test_an_edit_remembers_the_value_of_the_sis(district: Org, north: Org, alice: Account, now: datetime) -> None:
    imported(district, student("S1"), now=now)
    account = edited("S1", alice, now, first_name="Sammy", middle_name="J")
    edited_on = now.date()  # also in Chicago
    first, middle = name_edits(account)
    assert (first, middle.of_sis) == (NameEdit("first_name", "Sam", edited_on), "")
    account = edited("S1", alice, now + DAY, first_name="Samuel", middle_name="")
    assert name_edits(account) == (NameEdit("first_name", "Sam", edited_on + DAY),)
    assert name_edits(edited("S1", alice, now, first_name="Sam")) == ()
    edited("S1", alice, now, first_name="Sammy")
    assert name_edits(edited("S1", alice, now, custom_id="S2")) == ()
