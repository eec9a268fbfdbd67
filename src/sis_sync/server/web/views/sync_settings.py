"""Bulk Management > Sync settings: one card for each mode. Settings are shown old and new before they are saved."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sis_sync.core.errors import NotPermitted
from sis_sync.core.modes import MODES
from sis_sync.core.wording import counted
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.runs.models import ModeSettings
from sis_sync.server.runs.selectors import waiting_runs
from sis_sync.server.runs.settings import (
    SETS,
    SETTINGS,
    answer_one_person,
    asked_by,
    choices_of,
    refuse_wrong_change,
    settings_of_modes,
    update_mode_settings,
)
from sis_sync.server.web.access import PageRequest, for_district_managers, for_managers
from sis_sync.server.web.forms.sync import ModeSettingsForm
from sis_sync.server.web.render import flash, flash_error, form_data, page, see_other
from sis_sync.server.web.words import MODE_WORDS, field_word

OFF = ModeSettings.Passwords.OFF
MEANWHILE = "Someone else has changed these settings in the meantime. Nothing was saved. Look at what would change now."
TICK = "Tick this, or cancel and leave the approval on."


@for_managers
@require_GET
def sync_settings(request: PageRequest) -> HttpResponse:
    """The settings of the four modes."""
    found = settings_of_modes(school_system=request.user.school_system)
    cards = [
        {
            "mode": MODES[each.mode],
            "settings": each,
            "asked_by": asked_by(each, now=timezone.now()),
            "field_settings": field_setting_words(each),
        }
        for each in found
    ]
    return page(request, "web/bulk/sync_settings.html", {"cards": cards})


@for_district_managers
@require_http_methods(["GET", "POST"])
def mode_settings(request: PageRequest, mode: str) -> HttpResponse:
    """Change the settings of one mode: the form, then a page with the old and the new values, then they are saved."""
    found = settings_of_mode(request, mode)
    form = ModeSettingsForm(form_data(request), initial=found.__dict__, judges_absence=MODES[mode].judges_absence)
    context: dict[str, Any] = {"mode": MODES[mode], "form": form}
    if request.method == "POST" and form.is_valid():
        try:
            refuse_wrong_change(settings=found, values=form.values)
        except ValuesRefused as error:
            form.add_refusal(error)
        else:
            changes = changes_of(found, form.values)
            if not changes:
                flash(request, f"Nothing was changed in the settings of {MODE_WORDS[mode]}.")
                return see_other("web:sync_settings")
            if is_reviewed(form, found):
                update_mode_settings(settings=found, values=form.values, actor=request.user, now=timezone.now())
                flash(request, saved_words(request, mode, ended_rule=changes_rule(found, form.values)))
                return see_other("web:sync_settings")
            context |= {"changes": changes, "seen": mark_of(found), "effect": effect_words(request, mode)}
            context["ends_approval"] = found.requires_approval and not form.values["requires_approval"]
            context["starts_passwords"] = found.sets_passwords == OFF and form.values.get("sets_passwords", OFF) != OFF
            context["ends_rule"] = changes_rule(found, form.values)
    return page(request, "web/bulk/mode_settings.html", context)


@for_district_managers
@require_POST
def one_person(request: PageRequest, mode: str) -> HttpResponse:
    """Agree that one person is enough, or keep the rule of two persons."""
    found = settings_of_mode(request, mode)
    agrees = request.POST.get("action") == "agree"
    try:
        answer_one_person(settings=found, agrees=agrees, actor=request.user, now=timezone.now())
    except NotPermitted as error:
        flash_error(request, error)
    else:
        kept = "One person is enough from now on" if agrees else "The rule of two persons stays"
        flash(request, f"{MODE_WORDS[mode]}: {kept}.")
    return see_other("web:sync_settings")


def settings_of_mode(request: PageRequest, mode: str) -> ModeSettings:
    """Return the settings of the mode in the school system of this person. Raise Http404 for another word."""
    if mode not in MODES:
        raise Http404
    return next(each for each in settings_of_modes(school_system=request.user.school_system) if each.mode == mode)


def is_reviewed(form: ModeSettingsForm, found: ModeSettings) -> bool:
    """Return True if the person has seen these old and new values. Otherwise say on the form what is missing."""
    if not form.cleaned_data["reviewed"]:
        return False
    if form.cleaned_data["seen"] != mark_of(found):
        form.add_error(None, MEANWHILE)
    elif found.requires_approval and not (form.values["requires_approval"] or form.cleaned_data["without_approval"]):
        form.add_error("without_approval", TICK)
    return not form.errors


def mark_of(settings: ModeSettings) -> str:
    """Return a hash of the settings, which tells whether someone changed them since."""
    values = {name: getattr(settings, name) for name in SETTINGS}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def changes_of(settings: ModeSettings, values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return label, old and new value of each setting that changes, in words."""
    changed = [name for name in SETTINGS if name in values and values[name] != getattr(settings, name)]
    return [
        (field_word(name), value_word(name, getattr(settings, name)), value_word(name, values[name]))
        for name in changed
    ]


def changes_rule(settings: ModeSettings, values: Mapping[str, Any]) -> bool:
    """Return True if this would end the rule of two persons, to which another manager has to agree."""
    return settings.needs_two_persons and not values.get("needs_two_persons", True)


def value_word(name: str, value: object) -> str:
    """Return a setting in words: On, 10, Unless edited here."""
    if isinstance(value, bool):
        return "On" if value else "Off"
    choices = choices_of(name)
    return choices[str(value)] if choices else f"{value:,}"


def field_setting_words(settings: ModeSettings) -> list[tuple[str, str]]:
    """Return label and value of the field settings that are not as in a new school system, in words."""
    standard = ModeSettings()
    return [
        (field_word(name), value_word(name, getattr(settings, name)))
        for name in SETS
        if name == "sets_names" or getattr(settings, name) != getattr(standard, name)
    ]


def saved_words(request: PageRequest, mode: str, *, ended_rule: bool) -> str:
    """Return what was saved, and when it takes effect."""
    asked = "Two persons are needed until another manager of the district agrees here. " if ended_rule else ""
    return f"The settings of {MODE_WORDS[mode]} were updated. {asked}{effect_words(request, mode)}"


def effect_words(request: PageRequest, mode: str) -> str:
    """Return when changed settings take effect, and what happens to the runs that wait for approval."""
    waiting = waiting_runs(actor=request.user).filter(mode=mode).count()
    applies = "The new settings apply from the next run on."
    if not waiting:
        return applies
    return (
        f"{applies} {counted(waiting, 'run of this mode waits', 'runs of this mode wait')} for approval. If the plan "
        "goes out of date, the file is checked and shown again before anything is applied."
    )
