"""Home: the runs that wait for a decision, and the last runs of each mode."""

from django.http import HttpResponse
from django.utils import timezone

from sis_sync.server.orgs.selectors import is_district_manager, is_manager
from sis_sync.server.runs.selectors import place_waits, runs_of, waiting_runs
from sis_sync.server.runs.settings import asked_modes
from sis_sync.server.web.access import PageRequest, for_everyone
from sis_sync.server.web.decision.holding import held_runs
from sis_sync.server.web.mode_cards import health_of_modes
from sis_sync.server.web.render import page, see_other
from sis_sync.server.web.views.district_runs import latest_district_runs


@for_everyone
def home(request: PageRequest) -> HttpResponse:
    """The first page of a manager. Everyone else is redirected to their own profile."""
    if not is_manager(account=request.user):
        return see_other("web:profile")
    is_of_district = is_district_manager(account=request.user)
    asked = asked_modes(school_system_id=request.user.school_system_id, now=timezone.now()) if is_of_district else []
    context = {
        "asked": asked,
        "modes": health_of_modes(actor=request.user),
        "place_waits": place_waits(runs_of(actor=request.user), now=timezone.now()),
        "rows": latest_district_runs(request.user),
        "waiting": held_runs(list(waiting_runs(actor=request.user).order_by("received_at"))),
    }
    return page(request, "web/home.html", context)
