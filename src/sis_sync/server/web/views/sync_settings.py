"""Bulk Management > Sync settings: one card for each mode."""

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from sis_sync.core.modes import MODES
from sis_sync.server.runs.mode_settings import settings_of_modes, update_mode_settings
from sis_sync.server.web.entrance import PageRequest, for_district_managers, for_managers
from sis_sync.server.web.forms.bulk import ModeSettingsForm
from sis_sync.server.web.render import page, say, see_other, sent
from sis_sync.server.web.words import MODE_WORDS


@for_managers
@require_GET
def sync_settings(request: PageRequest) -> HttpResponse:
    """What each mode asks and allows."""
    cards = [(MODES[each.mode], each) for each in settings_of_modes(school_system=request.user.school_system)]
    return page(request, "web/bulk/sync_settings.html", {"cards": cards})


@for_district_managers
@require_http_methods(["GET", "POST"])
def mode_settings(request: PageRequest, mode: str) -> HttpResponse:
    """The settings of one mode, to change."""
    if mode not in MODES:
        raise Http404
    found = next(each for each in settings_of_modes(school_system=request.user.school_system) if each.mode == mode)
    form = ModeSettingsForm(sent(request), initial=found.__dict__, judges_absence=MODES[mode].judges_absence)
    if request.method == "POST" and form.is_valid():
        update_mode_settings(settings=found, values=form.cleaned_data, actor=request.user, now=timezone.now())
        say(request, f"The settings of {MODE_WORDS[mode]} were updated. They hold from the next run on.")
        return see_other("web:sync_settings")
    return page(request, "web/bulk/mode_settings.html", {"mode": MODES[mode], "form": form})
