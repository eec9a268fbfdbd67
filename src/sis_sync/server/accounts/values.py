"""The ten fields of an account, as files spell them and as the table keeps them."""

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.server.accounts.models import Account
from sis_sync.server.orgs.models import Org

ORG_FIELD = "school_district_external_id"
STORED_FIELDS = tuple(name for name in FIELD_NAMES if name != ORG_FIELD)


def values_of(account: Account) -> dict[str, str]:
    """The ten values now, each a text; empty where there is none."""
    stored = {name: getattr(account, name) or "" for name in STORED_FIELDS}
    org_value = {ORG_FIELD: account.org.external_id or ""}
    return {name: (stored | org_value)[name] for name in FIELD_NAMES}


def take_values(account: Account, values: dict[str, str], org: Org) -> None:
    """Put judged values into the account, unsaved. An empty custom ID is none: the account is unmanaged."""
    for name in STORED_FIELDS:
        setattr(account, name, values[name])
    account.custom_id = values["custom_id"] or None
    account.org = org
