"""The documents of the API."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from ninja import Field, Schema

from sis_sync.core.reading_options import DELIMITERS
from sis_sync.server.api.auth import SignedRequest
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.settings import field_settings_planned_with
from sis_sync.server.runs.told import view_of


class Ping(Schema):
    """The version of the server and the rights of this key."""

    server_version: str
    school_system: str
    org: str
    scopes: list[str]
    modes: list[str]
    is_paused: bool
    server_time: datetime


class ReadingWords(Schema):
    """How to read the file, as in a mapping line. Options left out come from the mapping, or are detected."""

    encoding: str = Field("", description="Such as windows-1250. A byte order mark that says otherwise is refused.")
    encoding_fallback: str = Field("", description="For a file that is neither UTF-8 nor UTF-16: windows-1252.")
    delimiter: str = Field("", description=f"One of {', '.join(DELIMITERS.values())}.")
    header: str = Field("", description="The line of the header, or none.")
    columns: str = Field("", description="The columns of a file without a header row: A | B | C.")
    escape: str = Field("", description="backslash, if the file writes quotation marks in this way.")
    footer: str = Field("", description="Lines that are not people: Total records: {rows} | (* rows affected).")


class RunDocument(Schema):
    """One run. `guards` names the guards that hold it, `findings` has counts by code, `digest` identifies its plan.

    A key with the scope read gets everything. Without it, guards have no figures, and `digest` is empty unless the key
    may approve. `counts` are then taken, ignored and failed rows, and `findings` are those that the file alone decides;
    `row.ask_a_manager` counts the others of failed rows. A key with the scope own_results gets the counts and findings
    of all rows of the files that it sent, but not of absent people. `field_settings` says which fields of accounts the
    run sets: names always, never or unless_edited, passwords on or off, the others on, off or create (on create only).
    It is empty until the file has been checked.
    """

    id: str
    mode: str
    state: str
    file_name: str
    received_at: datetime
    counts: dict[str, int]
    guards: list[dict[str, Any]]
    findings: dict[str, int]
    field_settings: dict[str, str]
    refusal: dict[str, Any] | None
    digest: str
    page: str


class RunList(Schema):
    """Runs, newest first. Send `next_before` as `before` for the next page. It is null on the last page."""

    runs: list[RunDocument]
    next_before: str | None


class Approval(Schema):
    """The digest of the plan that was shown and is now approved."""

    digest: str


class Rejection(Schema):
    """The reason of a rejection."""

    reason: str


class Refusal(Schema):
    """A file that the client refused, and the reason. No content of the file."""

    file_name: str = Field(max_length=255)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    code: str = Field(pattern=r"^file\.[a-z_]+$", max_length=40)
    line: int | None = Field(None, ge=1, lt=1 << 31)  # pages show it


class Problem(Schema):
    """An error (RFC 9457), with what to do about it."""

    type: str
    title: str
    status: int
    detail: str
    fix: str


def run_document(run: Run, request: SignedRequest) -> RunDocument:
    """Return what the key of the request may see of a run, with the address of its page."""
    view = view_of(run, request.auth)
    return RunDocument(
        id=str(run.pk),
        mode=run.mode,
        state=run.state,
        file_name=run.file_name,
        received_at=run.received_at,
        counts=view.counts,
        guards=view.guards,
        findings=view.findings,
        field_settings=vars(field_settings_planned_with(run)) if run.settings_used else {},
        refusal=run.refusal,
        digest=view.digest,
        page=page_address(run, request),
    )


def page_address(run: Run, request: HttpRequest) -> str:
    """Return the address of the run's page."""
    return request.build_absolute_uri(reverse("web:run", args=[run.pk]))
