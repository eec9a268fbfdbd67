"""Validates accounts that a person typed. Their values go through the same steps as a file."""

import csv
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import IntegrityError, transaction

from sis_sync.core.errors import FileRefused
from sis_sync.core.fields import FIELD_NAMES, LABELS
from sis_sync.core.findings import FINDING_CODES
from sis_sync.core.limits import RESTORABLE_FOR
from sis_sync.core.wording import fill
from sis_sync.engine.duckdb import Session, open_session
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.selectors import account_at
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.models import Org
from sis_sync.steps.pipeline import check_file

ORG_FIELD = "school_district_external_id"
STORED_FIELDS = tuple(name for name in FIELD_NAMES if name != ORG_FIELD)
MEMORY_MB = 128
# In a form, the ID is optional and the org is chosen from a list.
NEEDED_IN_FILES_ONLY = ("custom_id.required", "custom_id.placeholder", f"{ORG_FIELD}.required")
WHOLE_ROW = "values"
UNREADABLE = "One of the values is too long or contains a character that no text may contain. Type it again."


def values_of(account: Account) -> dict[str, str]:
    """Return the ten values of the account as strings."""
    stored = {name: getattr(account, name) or "" for name in STORED_FIELDS}
    org_value = {ORG_FIELD: account.org.external_id or ""}
    return {name: (stored | org_value)[name] for name in FIELD_NAMES}


def values_in_history(account: Account) -> dict[str, object]:
    """Return the values whose changes the history of the account shows.

    An org without an external ID has its name, so that every move to another org is a change, and words after it, so
    that it is no ID of another org.
    """
    org_value = {ORG_FIELD: account.org.external_id or f"{account.org.name} (no external ID)"}
    return {**values_of(account), **org_value, "is_protected": account.is_protected}


def take_values(account: Account, values: dict[str, str], org: Org) -> None:
    """Copy validated values into the account without saving it. Without a custom ID, the account is unmanaged."""
    for name in STORED_FIELDS:
        setattr(account, name, values[name])
    account.custom_id = values["custom_id"] or None
    account.org = org


def judge_values(values: dict[str, str]) -> dict[str, str]:
    """Return the ten values as they will be stored: trimmed, spelled as in the lists, grade or position by user type.

    Raise ValuesRefused with a message for each invalid field. Does not check orgs and other accounts.
    """
    (judged,) = judge_people([values])
    if judged.errors:
        raise ValuesRefused(judged.errors)
    return judged.values


@dataclass(frozen=True)
class Judged:
    """The values of a person as they will be stored, and a message for each invalid field."""

    values: dict[str, str]
    errors: dict[str, str]


def judge_people(people: Sequence[dict[str, str]]) -> list[Judged]:
    """Judge the values of several people, none of whom has the ID or address of another, as in `judge_values`.

    Raise ValuesRefused if one of the values cannot be written to a file.
    """
    with open_session(memory_limit_mb=MEMORY_MB, threads=1) as session, tempfile.TemporaryDirectory() as folder:
        try:
            return _judge_rows(session, people, Path(folder) / "values.csv")
        except (FileRefused, UnicodeEncodeError) as refused:
            raise ValuesRefused({WHOLE_ROW: UNREADABLE}) from refused


def _judge_rows(session: Session, people: Sequence[dict[str, str]], path: Path) -> list[Judged]:
    """Write a row for each person to a file, check the file, and return the rows as validated."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELD_NAMES, quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows({name: values.get(name, "") for name in FIELD_NAMES} for values in people)
    check_file(session, path)
    errors: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for line, code, value in session.rows("SELECT line, code, value FROM findings ORDER BY code"):
        errors[line].update([wording(code, value)])
    rows = session.rows(f"SELECT line, {', '.join(FIELD_NAMES)} FROM people ORDER BY line")
    if len(rows) != len(people):
        raise ValuesRefused(
            {field: text for each in errors.values() for field, text in each.items() if field}
            or {WHOLE_ROW: UNREADABLE}
        )
    return [
        Judged(
            values=dict(zip(FIELD_NAMES, values, strict=True)),
            errors={field: text for field, text in errors[line].items() if field},
        )
        for line, *values in rows
    ]


def wording(code: str, value: str) -> tuple[str, str]:
    """Return the field and the message of a finding. The field is empty if the finding does not apply to a form."""
    finding = FINDING_CODES[code]
    if finding.severity == "warning" or (code in NEEDED_IN_FILES_ONLY and not value):
        return "", ""
    if not finding.column:
        return WHOLE_ROW, UNREADABLE
    message = fill(finding.message, value=value).removeprefix(f"{finding.column}: ")
    message = message.removeprefix(finding.column).strip()
    colon = ":" if message.startswith('"') else ""
    return finding.column, f"{LABELS[finding.column]}{colon} {message}."


def refuse_taken(*, school_system_id: int, values: dict[str, str], account_id: int | None, now: datetime) -> None:
    """Raise ValuesRefused if another account of the school system has the custom ID or the address.

    Take the ID away from an account that was deleted too long ago to be restored.
    """
    same_id = Account.objects.filter(school_system_id=school_system_id, custom_id=values["custom_id"] or None)
    same_id.filter(deleted_at__lte=now - RESTORABLE_FOR).update(custom_id=None)
    errors: dict[str, str] = {}
    holder = account_at(school_system_id=school_system_id, email=values["email"])
    if holder is not None and holder.pk != account_id:
        errors["email"] = "Another account has this address. Use another one, or change it there first."
    holder = same_id.first() if values["custom_id"] else None
    if holder is not None and holder.pk != account_id:
        errors["custom_id"] = (
            "A deleted account has this ID. Restore that account instead."
            if holder.deleted_at is not None
            else "Another account has this ID. Check which of the two it belongs to."
        )
    if errors:
        raise ValuesRefused(errors)


@contextmanager
def refusing_clashes() -> Iterator[None]:
    """Run the block in a transaction. Raise ValuesRefused if another request takes the ID or address first."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        taken = "Another account has just taken this address or ID. Look again, then save once more."
        raise ValuesRefused({"email": taken}) from error
