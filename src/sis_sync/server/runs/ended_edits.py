"""Ends edits of names with a run. An edit is a name that a person typed here; it ends when the SIS changes that name.

Ending an edit changes no value of an account: the SIS may even have the name that was typed. So a plan that only ends
edits needs no approval. If the run is undone, the edits that it ended begin again.
"""

from collections.abc import Mapping

from sis_sync.core.fields import NAME_FIELDS
from sis_sync.core.modes import TAKING_BACK, UNDO
from sis_sync.engine.duckdb import Session
from sis_sync.server.accounts.edited_names import name_edits
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.selectors import BATCH
from sis_sync.server.runs.files import run_files
from sis_sync.server.runs.models import Run

ENDED = f"""
SELECT account_id, ended_edits, {", ".join(f"old_{name}" for name in NAME_FIELDS)} FROM read_parquet(:plan)
WHERE ended_edits <> '' ORDER BY line
"""


def write_ended_edits(run: Run, *, session: Session) -> None:
    """End the edits that this run ends. If it undoes a run, begin again the edits that that run ended.

    `session` reads the stored plan. Call it in the transaction that marks the run as applied, before the accounts are
    written.
    """
    if run.mode == UNDO.name and run.based_on_id is not None:
        edited = Account.objects.filter(school_system=run.school_system_id, edited_names__isnull=False)
        locked = edited.select_for_update().order_by("pk")
        _save([each for each in locked if begin_edits_again(each, run_id=run.based_on_id)])
    elif run.mode not in TAKING_BACK:
        _end(run, session)


def _end(run: Run, session: Session) -> None:
    """End the edits that the plan names, except those that a person has made since."""
    found = session.rows(ENDED, plan=str(run_files(run).plan))
    for start in range(0, len(found), BATCH):
        batch = {
            int(account_id): {
                name: had for name, had in zip(NAME_FIELDS, names, strict=True) if name in fields.split(";")
            }
            for account_id, fields, *names in found[start : start + BATCH]
        }
        accounts = Account.objects.select_for_update().filter(pk__in=batch, school_system=run.school_system_id)
        _save([each for each in accounts.order_by("pk") if end_edits(each, batch[each.pk], run_id=run.pk)])


def _save(accounts: list[Account]) -> None:
    Account.objects.bulk_update(accounts, ["edited_names"], batch_size=BATCH)


def end_edits(account: Account, had: Mapping[str, str], *, run_id: int) -> bool:
    """End those edits of these names that are in force, without saving the account. Return True if there was one.

    `had` maps the names to the values that the account had when the run was planned.
    """
    edits = account.edited_names or {}
    ended = [edit.field for edit in name_edits(account) if had.get(edit.field) == edit.here]
    for name in ended:
        edits[name] = {**edits[name], "ended_by": run_id}
    return bool(ended)


def begin_edits_again(account: Account, *, run_id: int) -> bool:
    """Begin again the edits that this run ended, without saving the account. Return True if there was one."""
    edits = account.edited_names or {}
    ended = [name for name, edit in edits.items() if edit.get("ended_by") == run_id]
    for name in ended:
        edits[name] = {key: value for key, value in edits[name].items() if key != "ended_by"}
    return bool(ended)
