"""The settings of each mode: read, and changed by managers of the district."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from sis_sync.core.modes import MODES
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.services import record
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.models import SchoolSystem
from sis_sync.server.orgs.selectors import require_district_manager
from sis_sync.server.runs.models import ModeSettings

SETTINGS = (
    "requires_approval",
    "on_absent",
    "deletions_percent",
    "deletions_count",
    "deletions_slice_percent",
    "failed_rows_percent",
)
MOST_PERCENT = 100


def settings_of_modes(*, school_system: SchoolSystem) -> tuple[ModeSettings, ...]:
    """The settings of the four modes, in the order of the modes."""
    found = {each.mode: each for each in ModeSettings.objects.filter(school_system=school_system)}
    return tuple(found[mode] for mode in MODES)


@transaction.atomic
def update_mode_settings(
    *, settings: ModeSettings, values: Mapping[str, Any], actor: Account | None, now: datetime
) -> ModeSettings:
    """The settings with these values; those that are not named stay. ValuesRefused for one that cannot be taken.

    Plans made with other settings are out of date by it, and are planned again when somebody approves them.
    """
    require_district_manager(actor=actor, school_system=settings.school_system)
    wanted = {name: values[name] for name in SETTINGS if name in values}
    refuse_wrong_values(wanted)
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
    """ValuesRefused, with everything that is wrong at once."""
    errors: dict[str, str] = {}
    if values.get("on_absent", "delete") not in ModeSettings.OnAbsent.values:
        errors["on_absent"] = "Choose delete, disable or nothing."
    for name, value in values.items():
        if name.endswith("_percent") and not 0 <= value <= MOST_PERCENT:
            errors[name] = f"Enter a whole number from 0 to {MOST_PERCENT}."
    if values.get("deletions_count", 0) < 0:
        errors["deletions_count"] = "Enter 0 or more."
    if errors:
        raise ValuesRefused(errors)
