"""Take a run back: a page that says what that does, and makes the plan that a manager then decides on."""

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sis_sync.core.errors import SisSyncError
from sis_sync.server.runs.selectors import access_run
from sis_sync.server.runs.undo import ask_undo, why_not
from sis_sync.server.web.access import PageRequest, for_managers
from sis_sync.server.web.forms.base import PageForm
from sis_sync.server.web.render import form_data, page, see_other
from sis_sync.server.web.taking_back import taking_back

ONLY_LEAVERS = "leavers"


@for_managers
@require_http_methods(["GET", "POST"])
def undo(request: PageRequest, run_id: int) -> HttpResponse:
    """Say what taking the run back does, and make its plan. Nothing changes until a manager approves the plan."""
    found = access_run(actor=request.user, run_id=run_id)
    form, now = PageForm(form_data(request)), timezone.now()
    if request.method == "POST" and form.is_valid():
        only_leavers = request.POST.get("what") == ONLY_LEAVERS
        try:
            begun = ask_undo(run=found, by=request.user, now=now, only_leavers=only_leavers)
        except SisSyncError as error:
            form.add_refusal(error)
        else:
            return see_other("web:run", begun.pk)
    context = {
        "run": found,
        "form": form,
        "taking_back": taking_back(found, actor=request.user, now=now),
        "why_not": why_not(found, now=now),
    }
    return page(request, "web/runs/undo.html", context, status=409 if form.errors else 200)
