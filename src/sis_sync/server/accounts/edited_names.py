"""Names that a person edited on the server. By default, a file does not change them until the SIS has a new value.

For each name, the account stores the value that was typed, the value of the SIS at that time, and the day. An edit is
in force while the account has the typed value, until a run ends it: its row has another value than the SIS had then,
which may be the typed one. If that run is undone, the edit is in force again. Planning applies the same rule
(steps/directory/name_edits.sql). `Account.edited_names` has, for each name:

    {"first_name": {"here": "Sammy", "sis": "Sam", "on": "2026-09-02"}}, and "ended_by": 118 once run 118 has ended it
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sis_sync.core.fields import NAME_FIELDS
from sis_sync.server.accounts.models import Account
from sis_sync.server.orgs.selectors import today_in


@dataclass(frozen=True)
class NameEdit:
    """An edit that is in force.

    `here` is the value that was typed, `of_sis` the value of the SIS at that time.
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
        if edit and edit["here"] == getattr(account, name) and "ended_by" not in edit:
            edits.append(NameEdit(name, edit["here"], edit["sis"], date.fromisoformat(edit["on"])))
    return tuple(edits)


def note_edits(account: Account, before: Mapping[str, object], now: datetime) -> None:
    """Store the names that a person has just changed. Do not save the account. `before` are its values until now.

    If a name gets the value of the SIS again, its edit ends. A new custom ID is another person in the SIS, whose names
    there are unknown, so all edits end.
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
        # After several edits, only the first one knows the value of the SIS.
        is_in_force = earlier and earlier["here"] == old and "ended_by" not in earlier
        of_sis = earlier["sis"] if is_in_force else old
        if new != of_sis:
            edits[name] = {"here": new, "sis": of_sis, "on": today}
    account.edited_names = edits or None
