"""The earlier runs and changes with which the guards compare a plan.

The sums over 7 days count what policy let through. What a person made, changed or approved is trusted: limits are
measured against it, and no sum counts it.
"""

import csv
import json
from datetime import datetime, timedelta
from pathlib import Path

from django.db.models import Q, QuerySet, Sum

from sis_sync.core.fields import USER_TYPES
from sis_sync.core.guards import SUMS, History
from sis_sync.core.modes import MODES
from sis_sync.core.plan import ABSENT_ACTIONS, ACCOUNT_ACTIONS
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.models import AccountChange
from sis_sync.server.runs.files import run_files
from sis_sync.server.runs.models import ModeSettings, Run
from sis_sync.server.runs.settings import mode_of
from sis_sync.server.runs.states import State
from sis_sync.server.runs.superseding import over_the_same

WINDOW = timedelta(days=7)
RUNS_COMPARED, LEAST_RUNS_COMPARED = 30, 10  # for guard.unusual
CREATIONS, PASSWORDS = "guard.creations", "guard.passwords"
# The fields that a sum counts, or against which a limit is measured.
GUARDED_FIELDS = (
    "status",
    "user_type",
    "school_district_external_id",
    "email",
    "first_name",
    "middle_name",
    "last_name",
)
GUARDED = ~Q(action__in=("update", "password")) | Q(before__has_any_keys=GUARDED_FIELDS)
ROWS_AT_ONCE = 2_000


def history_of(run: Run, folder: Path, *, now: datetime) -> History:
    """Return what the guards compare with. Write the recent changes to a file in `folder`."""
    deleting = _applied(run).exclude(settings_used__on_absent=ModeSettings.OnAbsent.NOTHING)
    deleting = deleting.exclude(keeps_everyone=True)  # its file may have been cut off
    deleting = deleting.filter(mode__in=[mode.name for mode in MODES.values() if mode.judges_absence])
    last = deleting.filter(mode=run.mode, scope_org=run.scope_org_id).order_by("-applied_at", "-pk").first()
    lists = deleting.values_list("mode", "counts", "settings_used__first_import")
    begins = _sums_begin(run, now - WINDOW)
    unapproved = _applied(run).filter(decided_by=None, applied_at__gt=now - WINDOW)
    by_policy = _by_policy(unapproved, begins)
    with_password = unapproved.filter(applied_at__gt=begins[CREATIONS]).aggregate(sum=Sum("newcomers_with_password"))
    return History(
        last_plan=_plan_of(last) if last else (),
        last_rows=last.counts.get("rows", 0) if last else 0,
        had_deleting_sync=any(_shows_completeness(*each, run=run) for each in lists),
        recent_changes=_recent_changes(run, by_policy, folder, since=now - WINDOW) if by_policy else None,
        recent_passwords=with_password["sum"] or 0,
        most_of_runs=_most_of_runs(run),
        has_retyped_all=_has_retyped_all(run),
        **_passwords_of_existing(run, unapproved, since=begins[PASSWORDS]),
    )


def _passwords_of_existing(run: Run, unapproved: QuerySet[Run], *, since: datetime) -> dict[str, int]:
    """Return how many passwords of accounts that exist policy let through, and how many files of keys tried to.

    A try is one that no person approved: from the state of its run, the sender could see that a password was not the
    last one.
    """
    let_through = unapproved.filter(applied_at__gt=since).aggregate(sum=Sum("passwords_of_existing"))
    sent = Run.objects.filter(school_system=run.school_system_id, api_key__isnull=False, received_at__gt=since)
    sent = sent.filter(passwords_of_existing__gt=0).exclude(pk=run.pk)
    tries = sent.exclude(state=State.APPLIED, decided_by__isnull=False)
    return {
        "recent_passwords_of_existing": let_through["sum"] or 0,
        "recent_password_tries": tries.count(),
    }


def _most_of_runs(run: Run) -> tuple[int, int, int] | None:
    """Return the most newcomers, updates and leavers of one of the last runs of this mode and scope."""
    runs = _applied(run).filter(mode=run.mode, scope_org=run.scope_org_id).order_by("-applied_at", "-pk")
    last = list(runs.values_list("counts", "settings_used__leaving")[:RUNS_COMPARED])
    if len(last) < LEAST_RUNS_COMPARED:
        return None
    return (
        max(counts.get("create", 0) + counts.get("restore", 0) for counts, _ in last),
        max(counts.get("update", 0) for counts, _ in last),
        # Earlier versions did not record who left by going from Active to Disabled.
        max(sum(counts.get(name, 0) for name in ABSENT_ACTIONS) if left is None else left for counts, left in last),
    )


def _has_retyped_all(run: Run) -> bool:
    """True if no account has a type of this mode, but some had until policy gave them another."""
    types = mode_of(run).user_types
    there = Account.objects.filter(school_system=run.school_system_id, custom_id__isnull=False)
    if there.filter(user_type__in=types).exists():
        return False
    retyped = AccountChange.objects.filter(account__in=there, before__user_type__in=types)
    return retyped.filter(run__isnull=False, run__decided_by=None).exists()


def _shows_completeness(mode: str, counts: dict[str, int], is_first: bool | None, *, run: Run) -> bool:
    """True if people left by this list, or it was the first to create people of the types of `run`."""
    if any(map(counts.get, ABSENT_ACTIONS)):
        return True
    return bool(is_first and counts.get("create") and {*mode_of(run).user_types} <= {*MODES[mode].user_types})


def _applied(run: Run) -> QuerySet[Run]:
    return Run.objects.filter(school_system=run.school_system_id, state=State.APPLIED)


def _plan_of(run: Run) -> tuple[Path, Path] | tuple[()]:
    files = run_files(run)
    if files.plan.is_file() and files.unchanged.is_file():
        return files.plan, files.unchanged
    return (files.remembered, files.remembered) if files.remembered.is_file() else ()


def _by_policy(unapproved: QuerySet[Run], begins: dict[str, datetime]) -> dict[Run, frozenset[str]]:
    """Return the runs whose changes no limit trusts, each with the sums that count it."""
    found = {}
    for each in unapproved.defer("findings", "file_facts").order_by("pk"):
        if not any(map(each.counts.get, ACCOUNT_ACTIONS)):
            continue
        if _is_first_import(each) and not _has_others_before(each, set(USER_TYPES)):
            continue
        sums = {name for name, begin in begins.items() if each.applied_at is not None and each.applied_at > begin}
        found[each] = frozenset(sums - {CREATIONS} if _is_first_import(each) else sums)
    return found


def _sums_begin(run: Run, since: datetime) -> dict[str, datetime]:
    """Return the time after which each sum counts: when a person approved a run that it held, else `since`."""
    begins = dict.fromkeys(SUMS, since)
    approved = over_the_same(run, _applied(run)).filter(applied_at__gt=since, decided_by__isnull=False)
    for guards, applied_at in approved.order_by("applied_at").values_list("guards", "applied_at"):
        begins |= {hit["code"]: applied_at for hit in guards if hit["code"] in begins}
    return begins


def _is_first_import(run: Run) -> bool:
    only_created = not any(map(run.counts.get, ("update", "restore", *ABSENT_ACTIONS)))
    return bool(run.settings_used.get("first_import", only_created))  # earlier versions did not record it


def _has_others_before(imported: Run, types: set[str]) -> bool:
    """True if there were accounts of these types before a first import, besides the types that it has brought.

    Their limits must not be measured against the people of the import, also if they were given other types since.
    """
    before = {"school_system": imported.school_system_id, "created_at__lt": imported.applied_at}
    there = Account.objects.filter(custom_id__isnull=False, **before)
    others = types - set(mode_of(imported).user_types)
    retyped = AccountChange.objects.filter(account__in=there, before__user_type__in=others)
    return there.filter(user_type__in=others).exists() or retyped.filter(changed_at__gt=imported.applied_at).exists()


def _recent_changes(run: Run, by_policy: dict[Run, frozenset[str]], folder: Path, *, since: datetime) -> Path:
    """Write the file of `History.recent_changes`, and return its path."""
    types = set(mode_of(run).user_types)
    imports = {each.pk for each in by_policy if _is_first_import(each) and not _has_others_before(each, types)}
    sums = {each.pk: ";".join(sorted(names)) for each, names in by_policy.items()}
    by_runs = AccountChange.objects.filter(GUARDED, run__in=list(sums))
    by_people = AccountChange.objects.filter(account__in=by_runs.values("account"), changed_at__gt=since)
    path = folder / "recent.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        for changes in (by_runs, by_people.exclude(run__in=list(sums))):
            values = changes.values_list("account_id", "pk", "run_id", "action", "before", "after")
            for account_id, number, run_id, action, before, after in values.iterator(chunk_size=ROWS_AT_ONCE):
                word = "import" if run_id in imports else "yes" if run_id in sums else "no"
                of_run = (word, sums.get(run_id, ""))
                writer.writerow((account_id, number, *of_run, action, json.dumps(before), json.dumps(after)))
    return path
