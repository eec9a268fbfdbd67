"""The calls about runs, and about files that the client refused."""

import io
from pathlib import Path
from typing import Annotated, BinaryIO

from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest
from django.utils import timezone
from ninja import File, Form, Header, Query, Router, Status, UploadedFile

from sis_sync.core.errors import NotPermitted, UsageFault
from sis_sync.core.modes import MODES
from sis_sync.server.api.auth import SignedRequest, require_mode, require_scope
from sis_sync.server.api.schemas import (
    Approval,
    Problem,
    ReadingWords,
    Refusal,
    Rejection,
    RunDocument,
    RunList,
    page_address,
    run_document,
)
from sis_sync.server.api.upload import checked_idempotency_key, checked_options, plain_bytes, plain_name
from sis_sync.server.audit.services import record
from sis_sync.server.keys.limits import MeteredFile, hold_upload
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.keys.services import APPROVE, READ, UPLOAD
from sis_sync.server.orgs.selectors import number_or_404, one_or_404
from sis_sync.server.runs.approval import approve_run, reject_run
from sis_sync.server.runs.cancel import cancel_run
from sis_sync.server.runs.files import base_name, run_files
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.receive import Upload, receive_run
from sis_sync.server.runs.results import results_of
from sis_sync.server.runs.selectors import refuse_removed_report, runs_of_key
from sis_sync.server.runs.told import page_mark, sees_all, sees_own
from sis_sync.server.runs.undo import ask_undo
from sis_sync.server.text import has_controls
from sis_sync.server.windows import HOLD

MAX_PER_PAGE = 200
FAULTS = dict.fromkeys((400, 401, 403, 404, 409, 410, 413, 415, 422, 429, 503, 507), Problem)
router = Router(tags=["runs"])
refusals_router = Router(tags=["refusals"])


@router.post("", response={202: RunDocument, **FAULTS}, summary="Send a file", operation_id="send_run")
def send_file(
    request: SignedRequest,
    mode: Annotated[str, Query(description=f"One of {', '.join(MODES)}.")],
    file: Annotated[UploadedFile, File(description="The file as it came from the SIS; gzip allowed.")],
    reading: Annotated[ReadingWords, Form()],
    mapping_lines: Annotated[str, Form(description="The mapper.NAME.* lines to read it with, or none.")] = "",
    mapping_name: Annotated[str, Form(description="The NAME of the mapping, or of a preset.")] = "",
    sha256: Annotated[str, Form(description="Of the unpacked file, in hex.")] = "",
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
) -> Status[RunDocument]:
    """Stores the file and queues its run. The same idempotency key with the same body returns the same run."""
    key = request.auth
    require_scope(key, UPLOAD)
    require_mode(key, mode)
    checked_key = checked_idempotency_key(idempotency_key)
    options = checked_options(reading.dict(), mapping_lines, mapping_name)
    body_bytes = int(request.META.get("CONTENT_LENGTH") or file.size or 0)
    hold = request.META[HOLD]
    hold_upload(key, hold, body_bytes=body_bytes)
    upload = Upload(
        scope_org=key.org,
        mode=mode,
        file=io.BufferedReader(MeteredFile(plain_bytes(file), key=key, sent_bytes=body_bytes, hold=hold)),
        file_name=plain_name(file.name),
        mapping_lines=mapping_lines,
        mapping_name=mapping_name,
        options=options,
        by=key,
        idempotency_key=checked_key,
        sha256=sha256,
    )
    run = receive_run(upload, now=timezone.now())
    return Status(202, run_document(run, request))


@router.get("", response={200: RunList, **FAULTS}, summary="List runs, newest first", operation_id="list_runs")
def list_runs(
    request: SignedRequest,
    mode: Annotated[str, Query()] = "",
    state: Annotated[str, Query(description=f"One of {', '.join(Run.State.values)}.")] = "",
    before: Annotated[str, Query(description="Only runs older than this one.")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PER_PAGE)] = 50,
) -> RunList:
    """Returns a page of the runs that this key may see."""
    runs = visible_runs(request.auth).order_by("-pk")
    if has_controls(mode + state):
        raise UsageFault(
            "Mode or state contains a control character.", fix="Compare the call with /api/v1/openapi.json."
        )
    if mode:
        runs = runs.filter(mode=mode)
    if state:
        runs = runs.filter(state=state)
    if before:
        runs = runs.filter(pk__lt=number_or_404(before))
    found = list(runs[: limit + 1])
    documents = [run_document(run, request) for run in found[:limit]]
    return RunList(runs=documents, next_before=documents[-1].id if len(found) > limit else None)


@router.get("/{run_id}", response={200: RunDocument, **FAULTS}, summary="One run", operation_id="get_run")
def show_run(request: SignedRequest, run_id: str) -> RunDocument:
    """Returns the run's state, counts, findings by code and the guards that hold it."""
    return run_document(visible_run(request.auth, run_id), request)


@router.get(
    "/{run_id}/results.csv",
    response={**FAULTS},
    summary="The report: one line for each line of the file",
    operation_id="get_results",
)
def show_results(
    request: SignedRequest,
    run_id: str,
    unchanged: Annotated[bool, Query(description="False leaves out the rows that are unchanged or taken.")] = True,
) -> FileResponse:
    """Returns the results CSV. Answers 404 until the file has been checked.

    They are made when someone asks for them. Once the file of the run is removed, they lack the unchanged rows, which
    the run counts. Without the scope read, a key gets only the results of files that it sent. Their actions are taken,
    ignored and failed, and they have no absent people. With own_results, the actions are those of the plan.
    """
    run = visible_run(request.auth, run_id)
    require_report(request.auth, run)
    refuse_removed_report(run)
    results = results_of(run, is_told=not sees_all(request.auth), is_whole=unchanged)
    return csv_file(results, "results.csv", run, request)


@router.get(
    "/{run_id}/failed.csv",
    response={**FAULTS},
    summary="The failed rows, ready to correct",
    operation_id="get_failed_rows",
)
def show_failed(request: SignedRequest, run_id: str) -> FileResponse:
    """Returns the failed rows in the format of the file, each with its message.

    Without the scope read, a key gets only the rows of files that it sent.
    """
    run = visible_run(request.auth, run_id)
    require_report(request.auth, run)
    files = run_files(run)
    return csv_file(files.failed if sees_all(request.auth) else files.told_failed, "failed.csv", run, request)


@router.post(
    "/{run_id}/approve", response={200: RunDocument, **FAULTS}, summary="Approve the plan", operation_id="approve_run"
)
def approve(request: SignedRequest, run_id: str, body: Approval) -> RunDocument:
    """Approves the plan. The key needs the scope approve. No guard may hold the run and no one may leave in it."""
    run = visible_run(request.auth, run_id)
    require_scope(request.auth, APPROVE)
    approved = approve_run(run=run, digest=body.digest, by=request.auth, now=timezone.now())
    return run_document(approved, request)


@router.post(
    "/{run_id}/reject", response={200: RunDocument, **FAULTS}, summary="Reject the run", operation_id="reject_run"
)
def reject(request: SignedRequest, run_id: str, body: Rejection) -> RunDocument:
    """Rejects the run. Its plan is never applied."""
    run = visible_run(request.auth, run_id)
    require_scope(request.auth, APPROVE)
    if has_controls(body.reason):
        raise UsageFault("The reason contains a control character.", fix="Write it as one line of plain text.")
    rejected = reject_run(run=run, reason=body.reason, by=request.auth, now=timezone.now())
    return run_document(rejected, request)


@router.post(
    "/{run_id}/cancel", response={200: RunDocument, **FAULTS}, summary="Cancel the run", operation_id="cancel_run"
)
def cancel(request: SignedRequest, run_id: str) -> RunDocument:
    """Cancels a run that this key sent and no one has decided. Its job stops and no account is changed.

    Answers 409 with the run's state if the run has ended. If its job takes longer to give way (10 seconds at most), the
    answer is the run as it is, and the job cancels it then.
    """
    run = visible_run(request.auth, run_id)
    return run_document(cancel_run(run=run, by=request.auth, now=timezone.now()), request)


@router.post(
    "/{run_id}/undo", response={202: RunDocument, **FAULTS}, summary="Plan to take a run back", operation_id="undo_run"
)
def undo(
    request: SignedRequest,
    run_id: str,
    only_leavers: Annotated[bool, Query(description="Only bring back the people who left by it.")] = False,
) -> Status[RunDocument]:
    """Makes a run that takes an applied run of the last 30 days back, and returns it. The key needs the scope approve.

    Only a person can approve its plan. Anything that was changed since is left alone and listed. If such a run is
    already open, that run is returned.
    """
    run = visible_run(request.auth, run_id)
    require_scope(request.auth, APPROVE)
    begun = ask_undo(run=run, by=request.auth, now=timezone.now(), only_leavers=only_leavers)
    return Status(202, run_document(begun, request))


@refusals_router.post(
    "", response={204: None, **FAULTS}, summary="Report a file that the client refused", operation_id="report_refusal"
)
def report_refusal(
    request: SignedRequest, mode: Annotated[str, Query(description="The mode it was for.")], body: Refusal
) -> Status[None]:
    """Writes the refusal to the audit log, where managers see it."""
    key = request.auth
    require_scope(key, UPLOAD)
    require_mode(key, mode)
    detail = {
        "mode": mode,
        "file_name": base_name(body.file_name),
        "sha256": body.sha256,
        "code": body.code,
        "line": body.line,
    }
    record(school_system=key.school_system, action="file.refused_by_client", by=key, detail=detail, now=timezone.now())
    return Status(204, None)


def visible_runs(api_key: ApiKey) -> QuerySet[Run]:
    """Return the runs that the key's org covers. Without the scope `read`, return only those sent by its keys."""
    runs = runs_of_key(api_key=api_key)
    return runs if READ in api_key.scopes else runs.filter(api_key__org_id=api_key.org_id)


def visible_run(api_key: ApiKey, run_id: str) -> Run:
    """Return the run if the key may see it. Raise Http404 otherwise, whether the run exists or not."""
    return one_or_404(visible_runs(api_key), run_id)


def require_report(api_key: ApiKey, run: Run) -> None:
    """Raise NotPermitted if the key may not see the results and the failed rows of the run."""
    if not (sees_all(api_key) or sees_own(run, api_key)):
        raise NotPermitted(
            f"The key {api_key.prefix} lacks the scope read and did not send this file, so it may not see its rows.",
            fix="Use the key that sent the file, or ask a manager to open the page of the run.",
        )


def csv_file(path: Path, name: str, run: Run, request: HttpRequest) -> FileResponse:
    """Return the stored file with the address of the run's page.

    Raise Http404 if the file does not exist yet, or ReportRemoved if a purge has removed it.
    """
    refuse_removed_report(run)
    try:
        file = WithPage(path.open("rb"), run, request)
    except FileNotFoundError:
        raise Http404 from None
    return FileResponse(file, content_type="text/csv; charset=utf-8", filename=name)


class WithPage:
    """Reads a report. Each mark of the run's page becomes its address, which the worker that wrote it did not know."""

    def __init__(self, file: BinaryIO, run: Run, request: HttpRequest) -> None:
        self.file = file
        self.mark, self.page = page_mark(run).encode(), page_address(run, request).encode()

    def read(self, size: int) -> bytes:
        """Return the next lines, about `size` bytes, or nothing at the end."""
        return b"".join(self.file.readlines(size)).replace(self.mark, self.page)

    def close(self) -> None:
        """Close the file."""
        self.file.close()
