"""Names that a person changed here. By default a file leaves them alone until the SIS has a new value.

For each name, the account stores the value that was typed, the value of the SIS at that time, and the day. An edit is
in force while the account has the typed value. If a run writes another one, the edit is over; if the run is undone, it
is in force again. Planning reads the same (steps/map/settle.sql). `Account.edited_names` has, for each edited name:

    {"first_name": {"here": "Sammy", "sis": "Sam", "on": "2026-09-02"}}
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sis_sync.core.fields import NAME_FIELDS
from sis_sync.server.accounts.models import Account
from sis_sync.server.orgs.selectors import today_in


@dataclass(frozen=True)
class NameEdit:
    """A name that was edited here and is in force.

    `here` is the value that was typed, `of_sis` what the SIS had at that time.
    """

    field: str
    here: str
    of_sis: str
    edited_on: date


def name_edits(account: Account) -> tuple[NameEdit, ...]:
    """Return the edits that are in force, in the order of the names."""
    edits = []
    for name in NAME_FIELDS:
        edit = (account.edited_names or {}).get(name)
        if edit and edit["here"] == getattr(account, name):
            edits.append(NameEdit(name, edit["here"], edit["sis"], date.fromisoformat(edit["on"])))
    return tuple(edits)


def note_edits(account: Account, before: Mapping[str, object], now: datetime) -> None:
    """Store the names that a person has just changed. Do not save the account. `before` are its values until now.

    A name that is again as the SIS had it is no longer edited. A new custom ID stands for another person in the SIS,
    so that nothing is known of this person's names there.
    """
    edits = dict(account.edited_names or {})
    if (before["custom_id"] or None) != account.custom_id:
        account.edited_names = None
        return
    today = today_in(account.school_system, now=now).isoformat()
    for name in NAME_FIELDS if account.custom_id else ():
        old, new = before[name], getattr(account, name)
        if new == old:
            continue
        earlier = edits.pop(name, None)
        # Of several edits, the first one found the value of the SIS.
        of_sis = earlier["sis"] if earlier and earlier["here"] == old else old
        if new != of_sis:
            edits[name] = {"here": new, "sis": of_sis, "on": today}
    account.edited_names = edits or None
