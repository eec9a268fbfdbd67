"""The settings of each mode. Planning reads them; managers of the district change them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from django.db import transaction

from sis_sync.core.limits import SETTABLE_LIMITS, GuardLimits
from sis_sync.core.modes import MODES, RUN_MODES, TAKING_BACK, Mode, OnAbsent
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.services import record
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.last_manager import active_managers
from sis_sync.server.orgs.models import SchoolSystem
from sis_sync.server.orgs.selectors import require_district_manager
from sis_sync.server.runs.models import ModeSettings, Run

# If one of these changes, plans are out of date. The two settings of approval are read again when the
# plan is applied.
PLANNED_WITH = ("on_absent", "creates_disabled", *SETTABLE_LIMITS)
SETTINGS = ("requires_approval", "needs_two_persons", *PLANNED_WITH)
MAX_PERCENT = 100
LEAST_MANAGERS = 2  # of a mode that needs two persons


def settings_of_modes(*, school_system: SchoolSystem) -> tuple[ModeSettings, ...]:
    """Return the settings of the four modes, in the order of the modes."""
    found = {each.mode: each for each in ModeSettings.objects.filter(school_system=school_system)}
    return tuple(found[mode] for mode in MODES)


def original_of(run: Run) -> Run:
    """Return the run of a file that this run takes back, at the end of the chain; the run itself if it has a file."""
    while run.mode in TAKING_BACK and run.based_on is not None:
        run = run.based_on
    return run


def settings_of(run: Run) -> ModeSettings:
    """Return the settings that a run is judged by. A run that takes another back has those of the other's mode."""
    return ModeSettings.objects.get(school_system=run.school_system_id, mode=original_of(run).mode)


def mode_of(run: Run) -> Mode:
    """Return the mode of a run. A run that takes another back is measured against the user types of the other's."""
    return replace(RUN_MODES[run.mode], user_types=RUN_MODES[original_of(run).mode].user_types)


def settings_used(settings: ModeSettings) -> dict[str, Any]:
    """Return the settings that a plan depends on, as `Run.settings_used` stores them."""
    return {name: getattr(settings, name) for name in PLANNED_WITH}


def limits_of(settings: ModeSettings) -> GuardLimits:
    """Return the limits that the school system set for the guards."""
    return GuardLimits(**{name: getattr(settings, name) for name in SETTABLE_LIMITS})


def on_absent(settings: ModeSettings) -> OnAbsent:
    """Return the action for accounts that are not in the file."""
    return cast(OnAbsent, settings.on_absent)  # the column has the same choices


@transaction.atomic
def update_mode_settings(
    *, settings: ModeSettings, values: Mapping[str, Any], actor: Account | None, now: datetime
) -> ModeSettings:
    """Change the settings that `values` names and return them all. Raise ValuesRefused for an invalid value.

    The change makes waiting plans out of date: their files are planned again when someone approves them.
    """
    require_district_manager(actor=actor, school_system=settings.school_system)
    wanted = {name: values[name] for name in SETTINGS if name in values}
    refuse_wrong_values(wanted)
    if wanted.get("needs_two_persons") and active_managers(settings.school_system_id) < LEAST_MANAGERS:
        text = "There is only one active manager of the district. Give someone else this right first."
        raise ValuesRefused({"needs_two_persons": text})
    current = ModeSettings.objects.select_for_update().get(pk=settings.pk)
    before = {name: getattr(current, name) for name in wanted}
    for name, value in wanted.items():
        setattr(current, name, value)
    current.save(update_fields=list(wanted))
    changed = [name for name in wanted if before[name] != wanted[name]]
    if changed:
        detail = {
            "mode": current.mode,
            "before": {name: before[name] for name in changed},
            "after": {name: wanted[name] for name in changed},
        }
        record(school_system=current.school_system, action="mode_settings.updated", by=actor, detail=detail, now=now)
    return current


def refuse_wrong_values(values: Mapping[str, Any]) -> None:
    """Raise ValuesRefused with every invalid value."""
    errors: dict[str, str] = {}
    if values.get("on_absent", "delete") not in ModeSettings.OnAbsent.values:
        errors["on_absent"] = "Choose delete, disable or nothing."
    for name, value in values.items():
        if name.endswith("_percent") and not 0 <= value <= MAX_PERCENT:
            errors[name] = f"Enter a whole number from 0 to {MAX_PERCENT}."
        elif name.endswith("_count") and value < 0:
            errors[name] = "Enter 0 or more."
    if errors:
        raise ValuesRefused(errors)
