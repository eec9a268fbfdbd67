"""Bulk Management > Sync settings: one card for each mode."""

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from sis_sync.core.modes import MODES
from sis_sync.core.wording import counted
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.runs.selectors import waiting_runs
from sis_sync.server.runs.settings import settings_of_modes, update_mode_settings
from sis_sync.server.web.access import PageRequest, for_district_managers, for_managers
from sis_sync.server.web.forms.sync import ModeSettingsForm
from sis_sync.server.web.render import flash, form_data, page, see_other
from sis_sync.server.web.words import MODE_WORDS


@for_managers
@require_GET
def sync_settings(request: PageRequest) -> HttpResponse:
    """The settings of the four modes."""
    cards = [(MODES[each.mode], each) for each in settings_of_modes(school_system=request.user.school_system)]
    return page(request, "web/bulk/sync_settings.html", {"cards": cards})


@for_district_managers
@require_http_methods(["GET", "POST"])
def mode_settings(request: PageRequest, mode: str) -> HttpResponse:
    """Change the settings of one mode."""
    if mode not in MODES:
        raise Http404
    found = next(each for each in settings_of_modes(school_system=request.user.school_system) if each.mode == mode)
    form = ModeSettingsForm(form_data(request), initial=found.__dict__, judges_absence=MODES[mode].judges_absence)
    if request.method == "POST" and form.is_valid():
        try:
            update_mode_settings(settings=found, values=form.cleaned_data, actor=request.user, now=timezone.now())
        except ValuesRefused as error:
            form.add_refusal(error)
        else:
            flash(request, f"The settings of {MODE_WORDS[mode]} were updated. {effect_words(request, mode)}")
            return see_other("web:sync_settings")
    return page(request, "web/bulk/mode_settings.html", {"mode": MODES[mode], "form": form})


def effect_words(request: PageRequest, mode: str) -> str:
    """Return when changed settings take effect, and what happens to the runs that wait for approval."""
    waiting = waiting_runs(actor=request.user).filter(mode=mode).count()
    hold = "They hold from the next run on."
    if not waiting:
        return hold
    return (
        f"{hold} {counted(waiting, 'run', 'runs')} of this mode waiting for approval can go out of date by it: "
        "then the file is checked again by the new settings, and shown again, before anything is applied."
    )
