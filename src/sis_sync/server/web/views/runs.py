"""One run: what became of a file, what it would change, and the decision."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from sis_sync.core.errors import SisSyncError
from sis_sync.core.limits import DELETIONS_WITHOUT_TYPING
from sis_sync.core.whole_files import chunks_of
from sis_sync.core.wording import counted
from sis_sync.server.runs.approval import approve_run, reject_run
from sis_sync.server.runs.files import run_files
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.permission import leaving, may_decide
from sis_sync.server.runs.selectors import access_run, finding_groups
from sis_sync.server.runs.states import TO_APPLY
from sis_sync.server.web.access import PageRequest, for_managers
from sis_sync.server.web.forms.bulk import ApproveForm, RejectForm
from sis_sync.server.web.render import page, say, see_other, sent
from sis_sync.server.web.run_page import RunView, approve_words, leaving_words, look_at, no_changes_words, steps_of
from sis_sync.server.web.words import DECIDABLE_STATES, MOVING_STATES, STATE_BADGES, STATE_MEANINGS

REPLANNED_STATES = (*DECIDABLE_STATES, Run.State.CHECKING, Run.State.OUT_OF_DATE)


@for_managers
@require_GET
def run(request: PageRequest, run_id: int) -> HttpResponse:
    """The run page: steps, file, counts, guards, findings, rows."""
    found = access_run(actor=request.user, run_id=run_id)
    return page(request, "web/runs/run.html", context_of(request, found))


@for_managers
@require_GET
def run_progress(request: PageRequest, run_id: int) -> HttpResponse:
    """The body of the run page once the state is another than the one seen; until then nothing (204)."""
    found = access_run(actor=request.user, run_id=run_id)
    if found.state == request.GET.get("seen"):
        return HttpResponse(status=204)
    context = context_of(request, found)
    context["announcement"] = f"{STATE_BADGES[found.state].word}. {STATE_MEANINGS[found.state]}"
    return HttpResponse(render_to_string("web/runs/_body.html", context, request))


def context_of(request: PageRequest, found: Run) -> dict[str, object]:
    """What the run page shows of a run."""
    return {
        "run": found,
        "groups": finding_groups(run=found) if found.findings else [],
        "view": look_at(found, action=request.GET.get("action", ""), page=request.GET.get("page", "")),
        "is_done": found.state == Run.State.APPLIED,
        "is_moving": found.state in MOVING_STATES,
        "approve_words": approve_words(found) if found.state in TO_APPLY else "",
        "is_planned_again": found.state in REPLANNED_STATES and bool(found.decision_reason),
        "no_changes_words": no_changes_words(found),
        "leaving_words": leaving_words(found),
        "steps": steps_of(found),
        "may_decide": found.state in DECIDABLE_STATES and may_decide(run=found, actor=request.user),
    }


@for_managers
@require_http_methods(["GET", "POST"])
def approve(request: PageRequest, run_id: int) -> HttpResponse:
    """Shows exactly the plan that would be applied, deletions first, and approves that one only."""
    found = access_run(actor=request.user, run_id=run_id)
    form = ApproveForm(sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            approve_run(
                run=found,
                digest=form.cleaned_data["digest"],
                by=request.user,
                typed_deletions=form.cleaned_data["typed"],
                now=timezone.now(),
            )
        except SisSyncError as error:
            form.add_error(refused_at(error), f"{error.message} {error.fix}".strip())
            found.refresh_from_db()
        else:
            return see_other("web:run", found.pk)
    if found.state not in DECIDABLE_STATES and not form.errors:
        return see_other("web:run", found.pk)
    return approve_page(request, found, form)


def approve_page(request: PageRequest, found: Run, form: ApproveForm) -> HttpResponse:
    """The page on which a manager decides."""
    number = leaving(found)
    form.fields["typed"].label = f"Type {number:,} to confirm that {counted(number, 'person leaves', 'people leave')}"
    sections: list[RunView] = [
        look_at(found, action=action, page="")
        for action in ("delete", "disable", "update", "restore", "create")
        if found.counts.get(action)
    ]
    context = {
        "run": found,
        "form": form,
        "sections": sections,
        "leaving": number,
        "leaving_words": leaving_words(found),
        "may_decide": found.state in DECIDABLE_STATES,
        "is_typing_needed": number > DELETIONS_WITHOUT_TYPING,
        "approve_words": approve_words(found),
    }
    return page(request, "web/runs/approve.html", context, status=409 if form.errors else 200)


def refused_at(error: SisSyncError) -> str | None:
    """The field that a refusal is about: the typed number, or the whole form."""
    return "typed" if error.http_status == 422 else None


@for_managers
@require_http_methods(["GET", "POST"])
def reject(request: PageRequest, run_id: int) -> HttpResponse:
    """Asks for the reason and rejects the run."""
    found = access_run(actor=request.user, run_id=run_id)
    form = RejectForm(sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            reject_run(run=found, reason=form.cleaned_data["reason"], by=request.user, now=timezone.now())
        except SisSyncError as error:
            form.add_error(None, f"{error.message} {error.fix}".strip())
        else:
            say(request, "Rejected. No account was changed.")
            return see_other("web:run", found.pk)
    if found.state not in DECIDABLE_STATES and not form.errors:
        return see_other("web:run", found.pk)
    return page(request, "web/runs/reject.html", {"run": found, "form": form})


@for_managers
@require_GET
def run_results(request: PageRequest, run_id: int) -> StreamingHttpResponse:
    """The results CSV: one line per line of the file, then one per account that leaves."""
    run = access_run(actor=request.user, run_id=run_id)
    return csv_file(run_files(run).results, f"run-{run.pk}-results.csv")


@for_managers
@require_GET
def run_failed(request: PageRequest, run_id: int) -> StreamingHttpResponse:
    """The failed rows in the file's own format, each with its message."""
    run = access_run(actor=request.user, run_id=run_id)
    return csv_file(run_files(run).failed, f"run-{run.pk}-failed-rows.csv")


def csv_file(path: Path, name: str) -> StreamingHttpResponse:
    """The file as a download. Http404 where the run has none, or its time is over."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise Http404("This report is not there: the check is not done, or its time of storage is over.") from None
    response = StreamingHttpResponse(marked(path), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Length"] = str(len(codecs.BOM_UTF8) + size)
    return response


def marked(path: Path) -> Iterator[bytes]:
    """The file behind a byte order mark, by which spreadsheets know that it is UTF-8."""
    yield codecs.BOM_UTF8
    yield from chunks_of(path)
