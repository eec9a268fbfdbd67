"""What a manager starts from the page of a run: take it back, or correct its failed rows. Both make a new run."""

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sis_sync.core.errors import SisSyncError
from sis_sync.core.modes import MODES
from sis_sync.server.errors import NotNow
from sis_sync.server.orgs.selectors import managed_orgs
from sis_sync.server.runs.corrections import failed_rows, send_corrected_file, send_corrections
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.selectors import access_run
from sis_sync.server.runs.undo import ask_undo, why_not
from sis_sync.server.web.access import PageRequest, for_managers
from sis_sync.server.web.forms.base import PageForm
from sis_sync.server.web.forms.corrections import CorrectionForm
from sis_sync.server.web.render import form_data, form_files, page, see_other
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


@for_managers
@require_http_methods(["GET", "POST"])
def correct(request: PageRequest, run_id: int) -> HttpResponse:
    """Correct the failed rows of a run one by one, or send the corrected file. Either way it becomes a partial run."""
    found = access_run(actor=request.user, run_id=run_id)
    rows = failed_rows(found)
    form = CorrectionForm(
        form_data(request),
        form_files(request),
        rows=rows,
        file_name=found.file_name,
        orgs=managed_orgs(actor=request.user),
    )
    if request.method == "POST" and form.is_valid():
        try:
            begun = send(request, found, form)
        except NotNow:
            raise  # its page keeps the other fields of the form
        except SisSyncError as error:
            form.add_refusal(error)
        else:
            return see_other("web:run", begun.pk)
    context = {
        "run": found,
        "form": form,
        "cards": form.cards(),
        "had_passwords": any(row.is_password_kept or row.needs_password for row in rows),
        "others": found.counts.get("failed", 0) - len(rows),
        "is_possible": found.mode in MODES and bool(found.counts.get("failed")) and not found.report_removed_at,
    }
    return page(request, "web/runs/correct.html", context, status=409 if form.errors else 200)


def send(request: PageRequest, found: Run, form: CorrectionForm) -> Run:
    """Send the file if there is one, otherwise the corrected rows."""
    file, now = form.cleaned_data.get("file"), timezone.now()
    if file:
        return send_corrected_file(run=found, file=file, file_name=file.name, by=request.user, now=now)
    return send_corrections(
        run=found,
        corrected=form.corrected(),
        passwords=form.passwords(),
        promised=form.promised(),
        by=request.user,
        now=now,
    )
