"""The settings of each mode. Planning reads them; managers of the district change them.

The rule of two persons protects itself: it ends only if one manager asks to end it and another one agrees.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from django.db import transaction

from sis_sync.core.errors import NotPermitted
from sis_sync.core.guards import SETTABLE_LIMITS, GuardLimits
from sis_sync.core.modes import FIELDS_WITH_SETTING, FULL, MODES, RUN_MODES, TAKING_BACK, FieldSettings, Mode, OnAbsent
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.services import record
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.last_manager import active_managers
from sis_sync.server.orgs.models import SchoolSystem
from sis_sync.server.orgs.selectors import is_district_manager, require_district_manager
from sis_sync.server.runs.models import ModeSettings, Run

SETS = tuple(f"sets_{name}" for name in FIELDS_WITH_SETTING)
# If one of these changes, plans are out of date. The two settings of approval are read again when a plan is applied.
PLANNED_WITH = ("on_absent", "creates_disabled", *SETTABLE_LIMITS, *SETS)
SETTINGS = ("requires_approval", "needs_two_persons", *PLANNED_WITH)
MAX_PERCENT = 100
LEAST_MANAGERS = 2  # of a mode that needs two persons
ASKED_FOR = timedelta(days=7)  # after that, no one can agree to end the rule of two persons


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
    """Return the settings for a run. A run that takes another back has the settings of the other's mode.

    Corrected rows set the fields that the corrected file may set, so they have the field settings of its mode. If the
    run that was taken back is no longer in the history, its mode is not known: the settings are those of full files.
    """
    of_modes = {each.mode: each for each in ModeSettings.objects.filter(school_system=run.school_system_id)}
    corrected = original = original_of(run)
    while corrected.based_on is not None:
        corrected = corrected.based_on
    unknown = of_modes[FULL.name]
    settings, of_fields = of_modes.get(original.mode, unknown), of_modes.get(corrected.mode, unknown)
    for name in SETS:
        setattr(settings, name, getattr(of_fields, name))
    return settings


def mode_of(run: Run) -> Mode:
    """Return the mode of a run. A run that takes another back has the user types of the other's mode."""
    return replace(RUN_MODES[run.mode], user_types=RUN_MODES[original_of(run).mode].user_types)


def settings_used(settings: ModeSettings) -> dict[str, Any]:
    """Return the settings that a plan depends on, as `Run.settings_used` stores them."""
    return {name: getattr(settings, name) for name in PLANNED_WITH}


def field_settings_of(settings: ModeSettings) -> FieldSettings:
    """Return which fields the files of the mode set."""
    return FieldSettings(**{name: getattr(settings, f"sets_{name}") for name in FIELDS_WITH_SETTING})


def field_settings_planned_with(run: Run) -> FieldSettings:
    """Return the field settings with which the plan of a run was made. Plans of earlier versions set all fields."""
    used = {"sets_names": "always"} | run.settings_used
    return FieldSettings(**{name: used[f"sets_{name}"] for name in FIELDS_WITH_SETTING if f"sets_{name}" in used})


def limits_of(settings: ModeSettings) -> GuardLimits:
    """Return the limits that the school system set for the guards."""
    return GuardLimits(**{name: getattr(settings, name) for name in SETTABLE_LIMITS})


def on_absent(settings: ModeSettings) -> OnAbsent:
    """Return the action for accounts that are not in the file."""
    return cast(OnAbsent, settings.on_absent)  # the column has the same choices


def choices_of(name: str) -> dict[str, str]:
    """Return the values that a setting may have, with their labels. Empty for a number and for on or off."""
    if name == "on_absent":
        return dict(ModeSettings.OnAbsent.choices)
    if name == "sets_names":
        return dict(ModeSettings.Names.choices)
    if name == "sets_passwords":
        return dict(ModeSettings.Passwords.choices)
    return dict(ModeSettings.Sets.choices) if name in SETS else {}


@transaction.atomic
def update_mode_settings(
    *, settings: ModeSettings, values: Mapping[str, Any], actor: Account | None, now: datetime
) -> ModeSettings:
    """Change the settings that `values` names and return them all. Raise ValuesRefused for an invalid value.

    The change makes waiting plans out of date: their files are planned again when someone approves them. If
    the actor turns off the rule of two persons, only store that they ask to.
    """
    require_district_manager(actor=actor, school_system=settings.school_system)
    wanted = {name: values[name] for name in SETTINGS if name in values}
    refuse_wrong_change(settings=settings, values=wanted)
    current = ModeSettings.objects.select_for_update().get(pk=settings.pk)
    if actor and current.needs_two_persons and wanted.get("needs_two_persons") is False:
        del wanted["needs_two_persons"]
        ask_for_one_person(settings=current, actor=actor, now=now)
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


def refuse_wrong_change(*, settings: ModeSettings, values: Mapping[str, Any]) -> None:
    """Raise ValuesRefused with every invalid value, or if there are not two managers for a mode that needs two."""
    refuse_wrong_values(values)
    if values.get("needs_two_persons") and active_managers(settings.school_system_id) < LEAST_MANAGERS:
        text = "There is only one active manager of the district. Give someone else this right first."
        raise ValuesRefused({"needs_two_persons": text})


def refuse_wrong_values(values: Mapping[str, Any]) -> None:
    """Raise ValuesRefused with every invalid value."""
    errors: dict[str, str] = {}
    for name in ("on_absent", *SETS):
        choices = choices_of(name)
        if choices and values.get(name, next(iter(choices))) not in choices:
            errors[name] = f"Choose one of {', '.join(choices)}."
    for name, value in values.items():
        if name.endswith("_percent") and not 0 <= value <= MAX_PERCENT:
            errors[name] = f"Enter a whole number from 0 to {MAX_PERCENT}."
        elif name.endswith("_count") and value < 0:
            errors[name] = "Enter 0 or more."
    if errors:
        raise ValuesRefused(errors)


def ask_for_one_person(*, settings: ModeSettings, actor: Account, now: datetime) -> None:
    """Store that this manager asks to end the rule. Call it in the transaction that has locked the settings."""
    settings.one_person_asked_by, settings.one_person_asked_at = actor, now
    settings.save(update_fields=["one_person_asked_by", "one_person_asked_at"])
    _record(settings, "mode_settings.one_person_asked", actor, now)


def asked_by(settings: ModeSettings, *, now: datetime) -> Account | None:
    """Return the manager who asks to end the rule, or None. It is too late if they asked long ago or manage no more."""
    asker, at = settings.one_person_asked_by, settings.one_person_asked_at
    if asker is None or at is None or now - at > ASKED_FOR or not settings.needs_two_persons:
        return None
    return asker if is_district_manager(account=asker) else None


def asked_modes(*, school_system_id: int, now: datetime) -> list[ModeSettings]:
    """Return the settings of the modes for which a manager asks to end the rule."""
    found = ModeSettings.objects.filter(school_system=school_system_id, one_person_asked_at__isnull=False)
    return [each for each in found.order_by("pk") if asked_by(each, now=now)]


@transaction.atomic
def answer_one_person(*, settings: ModeSettings, agrees: bool, actor: Account, now: datetime) -> None:
    """End the rule if another manager agrees, else drop what was asked. Raise NotPermitted if nothing is asked."""
    require_district_manager(actor=actor, school_system=settings.school_system)
    current = ModeSettings.objects.select_for_update().get(pk=settings.pk)
    asker = asked_by(current, now=now)
    if asker is None:
        raise NotPermitted("No one is asking any more to end this rule.", fix="Ask for it in the mode's settings.")
    if agrees and asker.pk == actor.pk:
        raise NotPermitted("You asked for this yourself, so another manager of the district has to agree.")
    current.needs_two_persons = not agrees
    current.one_person_asked_by = current.one_person_asked_at = None
    current.save(update_fields=["needs_two_persons", "one_person_asked_by", "one_person_asked_at"])
    _record(current, f"mode_settings.one_person_{'agreed' if agrees else 'refused'}", actor, now)


def _record(settings: ModeSettings, action: str, actor: Account, now: datetime) -> None:
    record(school_system=settings.school_system, action=action, by=actor, detail={"mode": settings.mode}, now=now)
