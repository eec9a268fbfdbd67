"""One run: its page, the pages on which a manager approves, rejects or cancels it, and its files to download."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sis_sync.core.errors import SisSyncError
from sis_sync.core.limits import RESTORABLE_FOR
from sis_sync.core.run_states import CHECKING, DECIDABLE, ENDED, MOVING, OUT_OF_DATE
from sis_sync.core.whole_files import chunks_of
from sis_sync.server.orgs.selectors import can_be_number
from sis_sync.server.runs.approval import reject_run
from sis_sync.server.runs.cancel import cancel_run
from sis_sync.server.runs.files import run_files
from sis_sync.server.runs.flow import plan_again
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.permission import may_decide
from sis_sync.server.runs.results import has_unchanged_rows, results_of
from sis_sync.server.runs.school_part import runs_of_district
from sis_sync.server.runs.selectors import (
    PlaceWait,
    access_run,
    failed_custom_id,
    finding_groups,
    place_waits,
    refuse_removed_report,
    removed_words,
    runs_of,
    waiting_runs,
)
from sis_sync.server.runs.states import TO_APPLY
from sis_sync.server.runs.two_people import tell_row_apart
from sis_sync.server.web.access import PageRequest, for_managers
from sis_sync.server.web.decision.holding import held_runs
from sis_sync.server.web.decision.page import approve_words
from sis_sync.server.web.forms.base import PageForm
from sis_sync.server.web.forms.runs import RejectForm
from sis_sync.server.web.render import flash, form_data, page, see_other
from sis_sync.server.web.run_page import (
    no_changes_words,
    not_made_words,
    password_words,
    steps_of,
    view_rows,
)
from sis_sync.server.web.taking_back import taking_back
from sis_sync.server.web.views.decide import decide_on
from sis_sync.server.web.words import state_words

LOST_ZEROS = "custom_id.lost_zeros"
TOLD_APART = "a manager said that people with similar IDs are two people"
REPLANNED = (*DECIDABLE, CHECKING, OUT_OF_DATE)  # the states of a run whose approved plan was out of date


@for_managers
@require_GET
def run(request: PageRequest, run_id: int) -> HttpResponse:
    """The run page: steps, guards, counts, findings, rows, file. A plan that waits has the page to decide on."""
    if runs_of_district(actor=request.user).filter(pk=run_id).exists():
        return see_other("web:school_of_run", run_id)  # which shows a manager of a school that school's part
    found = access_run(actor=request.user, run_id=run_id)
    if found.state in DECIDABLE and not request.GET:
        return decide_on(request, found)
    return page(request, "web/runs/run.html", context_of(request, found))


@for_managers
@require_GET
def run_progress(request: PageRequest, run_id: int) -> HttpResponse:
    """Return the body of the run page if it has changed since the browser loaded it, otherwise 204."""
    found = access_run(actor=request.user, run_id=run_id)
    wait = place_wait(found)
    if seen_of(found, wait) == request.GET.get("seen"):
        return HttpResponse(status=204)
    state = state_words(found)
    said = f"Waits: {wait.words}." if wait else state.meaning
    context = context_of(request, found) | {"announcement": f"{state.badge.word}. {said}"}
    response = HttpResponse(render_to_string("web/runs/_body.html", context, request))
    if found.state in DECIDABLE:
        response.headers["HX-Refresh"] = "true"  # the page to decide on takes its place
    return response


def place_wait(found: Run) -> PlaceWait | None:
    """Return what the run waits for in the place, if it does."""
    if found.state not in MOVING:
        return None
    return next(iter(place_waits(Run.objects.filter(pk=found.pk), now=timezone.now())), None)


def seen_of(found: Run, wait: PlaceWait | None) -> str:
    """Return a text that changes when the page must be shown again: the state, and whether the run waits."""
    return f"{found.state}, waits" if wait else found.state


def context_of(request: PageRequest, found: Run) -> dict[str, object]:
    """Return the context of the run page."""
    wait = place_wait(found)
    return {
        "run": found,
        "place_wait": wait,
        "seen": seen_of(found, wait),
        "guards": held_runs([found])[0].guards,
        "groups": finding_groups(run=found) if found.findings else [],
        "view": view_rows(found, action=request.GET.get("action", ""), page=request.GET.get("page", "")),
        "removed_words": removed_words(found),
        "lacks_unchanged": bool(found.counts.get("unchanged")) and not has_unchanged_rows(found),
        "is_done": found.state == Run.State.APPLIED,
        "is_moving": found.state in MOVING,
        "approve_words": approve_words(found) if found.state in TO_APPLY else "",
        "may_follow": runs_of(actor=request.user).filter(pk=found.superseded_by_id or 0).exists(),
        "next_waiting": waiting_runs(actor=request.user).exclude(pk=found.pk).order_by("received_at").first(),
        "restorable_until": found.applied_at + RESTORABLE_FOR if found.applied_at else None,
        "is_planned_again": found.state in REPLANNED and bool(found.decision_reason),
        "no_changes_words": no_changes_words(found),
        "password_words": password_words(found),
        "without_password": found.counts.get("create", 0) - found.newcomers_with_password,
        "not_made_words": not_made_words(found),
        "steps": steps_of(found),
        "may_decide": found.state in DECIDABLE and may_decide(run=found, actor=request.user),
        "taking_back": taking_back(found, actor=request.user, now=timezone.now()),
        "may_cancel": found.state not in ENDED and may_decide(run=found, actor=request.user),
    }


@for_managers
@require_http_methods(["GET", "POST"])
def reject(request: PageRequest, run_id: int) -> HttpResponse:
    """Ask for the reason and reject the run."""
    found = access_run(actor=request.user, run_id=run_id)
    form = RejectForm(form_data(request))
    if request.method == "POST" and form.is_valid():
        try:
            reject_run(run=found, reason=form.cleaned_data["reason"], by=request.user, now=timezone.now())
        except SisSyncError as error:
            form.add_refusal(error)
        else:
            flash(request, "Rejected. No account was changed.")
            return see_other("web:run", found.pk)
    if found.state not in DECIDABLE and not form.errors:
        return see_other("web:run", found.pk)
    return page(request, "web/runs/reject.html", {"run": found, "form": form})


@for_managers
@require_http_methods(["GET", "POST"])
def cancel(request: PageRequest, run_id: int) -> HttpResponse:
    """Say what cancelling does, and cancel the run."""
    found = access_run(actor=request.user, run_id=run_id)
    form = PageForm(form_data(request))
    if request.method == "POST" and form.is_valid():
        try:
            found = cancel_run(run=found, by=request.user, now=timezone.now())
        except SisSyncError as error:
            form.add_refusal(error)
        else:
            is_cancelled = found.state == Run.State.CANCELLED
            flash(request, "Cancelled. No account was changed." if is_cancelled else "It stops as soon as it can.")
            return see_other("web:run", found.pk)
    if found.state in ENDED and not form.errors:
        return see_other("web:run", found.pk)
    return page(request, "web/runs/cancel.html", {"run": found, "form": form}, status=409 if form.errors else 200)


@for_managers
@require_GET
def run_results(request: PageRequest, run_id: int) -> StreamingHttpResponse:
    """The results as CSV: one line for each row of the file, then one for each account that leaves."""
    run = access_run(actor=request.user, run_id=run_id)
    refuse_removed_report(run)
    return csv_file(results_of(run), f"run-{run.pk}-results.csv")


@for_managers
@require_GET
def run_failed(request: PageRequest, run_id: int) -> StreamingHttpResponse:
    """The failed rows as CSV, in the columns of the file, each with its message."""
    run = access_run(actor=request.user, run_id=run_id)
    refuse_removed_report(run)
    return csv_file(run_files(run).failed, f"run-{run.pk}-failed-rows.csv")


def csv_file(path: Path, name: str) -> StreamingHttpResponse:
    """Return the file as a download. Raise Http404 if it does not exist yet or has been removed."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise Http404("This report does not exist: the check is not done, or its storage time is over.") from None
    response = StreamingHttpResponse(with_byte_order_mark(path), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Length"] = str(len(codecs.BOM_UTF8) + size)
    return response


def with_byte_order_mark(path: Path) -> Iterator[bytes]:
    """Yield a byte order mark, so that spreadsheets recognise UTF-8, then the file."""
    yield codecs.BOM_UTF8
    yield from chunks_of(path)


@for_managers
@require_POST
def two_people_of_run(request: PageRequest, run_id: int) -> HttpResponse:
    """The person on this line is another one. If the run waits for a decision, its file is planned again."""
    found = access_run(actor=request.user, run_id=run_id)
    typed, now = request.POST.get("line", ""), timezone.now()
    line = int(typed) if can_be_number(typed) else 0
    custom_id = failed_custom_id(run=found, line=line, code=LOST_ZEROS)
    if not custom_id:
        flash(request, "Nothing was changed: this line has not failed because of leading zeros.")
        return see_other("web:run", found.pk)
    tell_row_apart(run=found, line=line, custom_id=custom_id, actor=request.user, now=now)
    if found.state in DECIDABLE:
        plan_again(found.pk, reason=TOLD_APART, now=now, states=DECIDABLE)
        flash(request, "They are two people now. The file is planned again.")
    else:
        flash(request, "They are two people now. The next file creates the other one.")
    return see_other("web:run", found.pk)
