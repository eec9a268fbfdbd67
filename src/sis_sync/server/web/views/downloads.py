"""The reports of a run as files for a spreadsheet."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from django.http import Http404, StreamingHttpResponse
from django.views.decorators.http import require_GET

from sis_sync.server.runs.selectors import access_run
from sis_sync.server.runs.storage import run_files
from sis_sync.server.web.entrance import PageRequest, for_managers

CHUNK_BYTES = 64 * 1024


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
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
