"""The documents of the API."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from ninja import Schema

from sis_sync.server.runs.models import Run


class Ping(Schema):
    """Who is asked, and what this key may do."""

    server_version: str
    school_system: str
    org: str
    scopes: list[str]
    modes: list[str]
    is_paused: bool
    server_time: datetime


class RunDocument(Schema):
    """One run. `guards` are those that hold it, `findings` are counts by code, `digest` names its plan."""

    id: str
    mode: str
    state: str
    file_name: str
    received_at: datetime
    counts: dict[str, int]
    guards: list[dict[str, Any]]
    findings: dict[str, int]
    refusal: dict[str, Any] | None
    digest: str
    page: str


class RunList(Schema):
    """Runs, newest first. `next_before` goes into `before` for the next page; None on the last."""

    runs: list[RunDocument]
    next_before: str | None


class Approval(Schema):
    """The plan that is approved, by the digest that was shown."""

    digest: str


class Rejection(Schema):
    """Why the run is rejected."""

    reason: str


class Problem(Schema):
    """An error (RFC 9457), with what to do about it."""

    type: str
    title: str
    status: int
    detail: str
    fix: str


def run_document(run: Run, request: HttpRequest) -> RunDocument:
    """The document of a run, with the address of its page."""
    return RunDocument(
        id=str(run.pk),
        mode=run.mode,
        state=run.state,
        file_name=run.file_name,
        received_at=run.received_at,
        counts=run.counts,
        guards=run.guards,
        findings=run.findings,
        refusal=run.refusal,
        digest=run.plan_digest,
        page=request.build_absolute_uri(reverse("web:run", args=[run.pk])),
    )
