"""The page on which a manager decides on a plan, and the form at its foot."""

from django.db import OperationalError
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sis_sync.core.errors import SisSyncError
from sis_sync.core.modes import MODES
from sis_sync.core.run_states import DECIDABLE
from sis_sync.server.errors import DeletionsNotTyped, PlanDamaged, ReasonMissing
from sis_sync.server.runs.approval import approve_run, keep_everyone
from sis_sync.server.runs.fit import PLAN_IS_DAMAGED, plan_again_if_needed
from sis_sync.server.runs.flow import plan_again
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.permission import needs_another_person
from sis_sync.server.runs.selectors import access_run
from sis_sync.server.web.access import PageRequest, for_managers
from sis_sync.server.web.decision.page import approve_words, decision_of, may_leave
from sis_sync.server.web.forms.runs import ApproveForm
from sis_sync.server.web.render import flash_error, form_data, page, see_other
from sis_sync.server.web.run_page import not_made_words, password_words
from sis_sync.server.web.taking_back import taking_back


@for_managers
@require_GET
def help_approving(request: PageRequest) -> HttpResponse:
    """Show docs/approve.md, the help with the page to decide on."""
    return page(request, "web/help/approve.html")


@for_managers
@require_http_methods(["GET", "POST"])
def approve(request: PageRequest, run_id: int) -> HttpResponse:
    """Show the plan, and approve it if it is the one that was shown."""
    found = access_run(actor=request.user, run_id=run_id)
    form = ApproveForm(form_data(request))
    if request.method == "POST" and form.is_valid():
        try:
            approve_run(
                run=found,
                digest=form.cleaned_data["digest"],
                by=request.user,
                typed_deletions=form.cleaned_data["typed"],
                reason=form.cleaned_data["reason"],
                now=timezone.now(),
            )
        except DeletionsNotTyped as error:
            form.add_refusal(error, "typed")
        except ReasonMissing as error:
            form.add_refusal(error, "reason")
        except SisSyncError as error:
            form.add_refusal(error)
        else:
            return see_other("web:run", found.pk)
        found.refresh_from_db()
    if found.state not in DECIDABLE and not form.errors:
        return see_other("web:run", found.pk)
    return decision_page(request, found, form) if form.errors else decide_on(request, found)


def decide_on(request: PageRequest, found: Run) -> HttpResponse:
    """Return the page of a plan that waits, or queue a new plan if it no longer fits, and return the page of the run.

    While another process writes for long, no plan can be queued: the page then says so, and has no form.
    """
    try:
        reason = plan_again_if_needed(found, now=timezone.now())
    except OperationalError:
        reason = "something that it relies on was changed since"
    else:
        if reason:
            return see_other("web:run", found.pk)
    try:
        return decision_page(request, found, misfit=reason)
    except PlanDamaged:  # only in its middle, which is not read before
        plan_again(found.pk, reason=PLAN_IS_DAMAGED, now=timezone.now(), states=DECIDABLE)
        return see_other("web:run", found.pk)


@for_managers
@require_POST
def creates_and_updates(request: PageRequest, run_id: int) -> HttpResponse:
    """Plan the file again so that no one leaves, or, with `whole`, all of it again. The new plan is shown then."""
    found = access_run(actor=request.user, run_id=run_id)
    digest, keeps = request.POST.get("digest", ""), "whole" not in request.POST
    try:
        keep_everyone(run=found, digest=digest, by=request.user, keeps=keeps, now=timezone.now())
    except SisSyncError as error:
        flash_error(request, error)
    return see_other("web:run", found.pk)


def decision_page(
    request: PageRequest, found: Run, form: ApproveForm | None = None, *, misfit: str = ""
) -> HttpResponse:
    """Return the page of a plan. With a form that was refused, say why. With `misfit`, there is no form."""
    form = form or ApproveForm()
    decision = decision_of(found)
    context = {
        "run": found,
        "form": form,
        "decision": decision,
        "is_held": found.state == Run.State.HELD,
        "is_planned_again": bool(found.decision_reason) and not found.keeps_everyone,
        "may_keep_everyone": found.mode in MODES and not found.keeps_everyone and may_leave(decision),
        "misfit": misfit,
        "is_own_file": needs_another_person(run=found, by=request.user),
        "may_decide": found.state in DECIDABLE and not misfit,
        "approve_words": approve_words(found),
        "password_words": password_words(found),
        "not_made_words": not_made_words(found),
        "taking_back": taking_back(found, actor=request.user, now=timezone.now()),
    }
    return page(request, "web/runs/decide.html", context, status=409 if form.errors else 200)
