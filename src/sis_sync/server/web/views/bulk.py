"""Bulk Management: the upload form, the runs that wait for approval, the history, the column mappings."""

from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from sis_sync.core.errors import ConfigurationError, SisSyncError
from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.modes import RUN_MODES
from sis_sync.server.errors import NotNow
from sis_sync.server.orgs.selectors import scope_org
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.receive import Upload, receive_run
from sis_sync.server.runs.selectors import runs_of, waiting_runs
from sis_sync.server.web.access import PageRequest, for_managers
from sis_sync.server.web.decision.holding import held_runs
from sis_sync.server.web.forms.runs import UploadForm
from sis_sync.server.web.mode_cards import risks_of_modes
from sis_sync.server.web.render import form_data, form_files, page, paged, see_other
from sis_sync.steps.map.mapper_lines import parse_mapping, preset_names, preset_text
from sis_sync.steps.map.mapping import NO_MAPPING


@for_managers
@require_http_methods(["GET", "POST"])
def bulk_upload(request: PageRequest) -> HttpResponse:
    """The upload form. An upload leads to the page of its run."""
    form = UploadForm(form_data(request), form_files(request))
    if request.method == "POST" and form.is_valid():
        run = receive_upload(request, form)
        if run is not None:
            return see_other("web:run", run.pk)
    context = {
        "form": form,
        "risks": risks_of_modes(actor=request.user),
        "recent": runs_of(actor=request.user)[:5],
        "orgs_scope": scope_org(actor=request.user),
        "headers": ",".join(FIELD_NAMES),
    }
    return page(request, "web/bulk/upload.html", context)


def receive_upload(request: PageRequest, form: UploadForm) -> Run | None:
    """Return the new run. None if the file or its mapping is refused: then the form shows the fault."""
    file = form.cleaned_data["file"]
    lines = form.cleaned_data["mapping_lines"] if form.cleaned_data["mapping_lines"].strip() else ""
    try:
        mapping = parse_mapping(lines) if lines else NO_MAPPING
        form.cleaned_data["options"].over(mapping.reading).refuse_unnamed_columns()
        upload = Upload(
            scope_org=scope_org(actor=request.user),
            mode=form.cleaned_data["mode"],
            file=file,
            file_name=file.name,
            mapping_name="" if lines else form.cleaned_data["mapping_name"],
            mapping_lines=lines,
            options=form.cleaned_data["options"],
            by=request.user,
        )
        return receive_run(upload, now=timezone.now())
    except NotNow:
        raise  # its page keeps the other fields of the form
    except ConfigurationError as error:
        form.add_refusal(error, "mapping_lines")
    except SisSyncError as error:
        form.add_refusal(error, "file")
    return None


@for_managers
@require_GET
def pending(request: PageRequest) -> HttpResponse:
    """The runs that wait for a decision, the oldest first."""
    waiting = waiting_runs(actor=request.user).order_by("received_at").select_related("uploaded_by", "api_key")
    last_decided = runs_of(actor=request.user).filter(decided_at__isnull=False).order_by("-decided_at").first()
    return page(request, "web/bulk/pending.html", {"waiting": held_runs(list(waiting)), "last_decided": last_decided})


@for_managers
@require_GET
def history(request: PageRequest) -> HttpResponse:
    """All runs, newest first, filtered by mode and state."""
    mode, state = request.GET.get("mode", ""), request.GET.get("state", "")
    runs = runs_of(actor=request.user).select_related("uploaded_by", "api_key")
    if mode in RUN_MODES:
        runs = runs.filter(mode=mode)
    if state in Run.State.values:
        runs = runs.filter(state=state)
    shown = paged(request, runs)
    context = {"runs": shown, "mode": mode, "state": state, "modes": list(RUN_MODES), "states": Run.State.choices}
    context["query"] = urlencode({"mode": mode, "state": state})
    return page(request, "web/bulk/history.html", context)


@for_managers
@require_GET
def mappings(request: PageRequest) -> HttpResponse:
    """The built-in column mappings. The chosen one shows its lines."""
    name = request.GET.get("preset", "")
    if name and name not in preset_names():
        raise Http404
    context = {"presets": preset_names(), "preset": name, "lines": preset_text(name) if name else ""}
    return page(request, "web/bulk/mappings.html", context)
