"""Turn the server's answers into runs, or into errors from `core/errors.py`."""

import email.utils
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from sis_sync.core.errors import (
    ConfigurationError,
    FileRefused,
    KeyRefused,
    NotPermitted,
    RunClosed,
    ServerNotReached,
    SisSyncError,
    UsageFault,
)
from sis_sync.core.run_states import ENDED, MOVING

TOO_MANY_CALLS = 429
TRY_LATER_STATUSES = (TOO_MANY_CALLS, 502, 503, 504, 507)
_BY_STATUS: dict[int, type[SisSyncError]] = {
    400: UsageFault,
    401: KeyRefused,
    403: NotPermitted,
    404: UsageFault,
    409: RunClosed,
    422: UsageFault,
}
_BY_TITLE: dict[str, type[SisSyncError]] = {
    error.title: error for error in (UsageFault, ConfigurationError, KeyRefused, NotPermitted, RunClosed)
}


class TryLater(ServerNotReached):
    """No answer, or a temporary error: the request may succeed later. `after_seconds` is the server's Retry-After.

    `is_asked_to_wait` is true if nothing is wrong with the server: the key has used up its calls for this minute.
    """

    def __init__(
        self, message: str, *, fix: str = "", after_seconds: float | None = None, is_asked_to_wait: bool = False
    ) -> None:
        super().__init__(message, fix=fix)
        self.after_seconds = after_seconds
        self.is_asked_to_wait = is_asked_to_wait


class NotThere(UsageFault):
    """The server does not have the requested item, or this key may not see it."""


@dataclass(frozen=True)
class RunStatus:
    """A run as the server returned it. `state` is from `core/run_states.py`, or is unknown if the server is newer."""

    id: str
    mode: str
    state: str
    file_name: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    guards: list[dict[str, Any]] = field(default_factory=list)
    findings: dict[str, int] = field(default_factory=dict)
    refusal: dict[str, Any] | None = None
    digest: str = ""
    page: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the run for JSON, in the order of the fields."""
        return asdict(self)

    @property
    def has_ended(self) -> bool:
        """True if the run will not change again."""
        return self.state in ENDED

    @property
    def is_moving(self) -> bool:
        """True if the server will take the next step without a person."""
        return self.state in MOVING


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, independent of the HTTP library. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def document(self) -> dict[str, Any]:
        """Return the JSON object. Raise ServerNotReached if there is none, as when a proxy or sign-in page answers."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            message = f"The answer (HTTP {self.status}) is not one of the server's."
            fix = "Check backend.url, and whether a proxy or sign-in page answers in its place."
            raise ServerNotReached(message, fix=fix)
        return found

    @property
    def detail(self) -> str:
        """What the server says about its refusal. Empty if something in front of it answered."""
        try:
            return str(self.document().get("detail") or "")[:300]
        except ServerNotReached:
            return ""


def run_of(document: Mapping[str, Any]) -> RunStatus:
    """Return the run in a JSON document. Raise ServerNotReached if the document is not a run."""
    if not document.get("id") or not isinstance(document.get("state"), str):
        fix = "Check that backend.url is the address of a SIS Sync server."
        raise ServerNotReached("The answer contains no run.", fix=fix)
    return RunStatus(
        id=str(document["id"]),
        mode=str(document.get("mode", "")),
        state=document["state"],
        file_name=str(document.get("file_name", "")),
        counts=document.get("counts") or {},
        guards=document.get("guards") or [],
        findings=document.get("findings") or {},
        refusal=document.get("refusal"),
        digest=str(document.get("digest") or ""),
        page=str(document.get("page") or ""),
    )


def error_of(answer: Answer, *, now: datetime) -> SisSyncError:
    """Return the error for an answer other than 2xx."""
    if 300 <= answer.status < 400:
        return _redirect(answer)
    # A 500 may be a bug, and then every retry fails too. With Retry-After, the server says that a retry may succeed.
    if answer.status in TRY_LATER_STATUSES or (answer.status == 500 and "retry-after" in answer.headers):
        after_seconds = _retry_after(answer.headers.get("retry-after", ""), now=now)
        message = answer.detail or f"The server is not ready (HTTP {answer.status})."
        return TryLater(message, after_seconds=after_seconds, is_asked_to_wait=answer.status == TOO_MANY_CALLS)
    try:
        problem = answer.document()
    except ServerNotReached as error:
        return error if answer.status not in (401, 403) else KeyRefused(f"Access was refused (HTTP {answer.status}).")
    return _problem(answer.status, problem)


def _redirect(answer: Answer) -> SisSyncError:
    place = answer.headers.get("location", "").split("?")[0][:200]
    message = f"The server redirects to {place or 'another address'}. The client sends its key to backend.url only."
    return ConfigurationError(message, fix="Set backend.url to the server's own address.")


def _problem(status: int, problem: Mapping[str, Any]) -> SisSyncError:
    """Return the error for the title, which server and client share. If the title is not known, the status decides."""
    title, fix = str(problem.get("title", "")), str(problem.get("fix") or "")
    message = str(problem.get("detail") or title or f"HTTP {status}")
    code = str(problem.get("code") or str(problem.get("type", "")).rsplit("/", 1)[-1].rsplit(":", 1)[-1])
    if status == 413 or title == FileRefused.title:
        line = problem.get("line")
        return FileRefused(
            code if code.startswith("file.") else "file.too_large" if status == 413 else "file.refused",
            message,
            line=line if isinstance(line, int) else None,
            fix=fix,
        )
    if status in (404, 410):
        return NotThere(message, fix=fix)
    if status >= 500:
        return ServerNotReached(f"The server failed (HTTP {status}): {message}", fix=fix)
    if code == "file-damaged":
        return TryLater(message, fix=fix)
    kind = _BY_TITLE.get(title) or _BY_STATUS.get(status, UsageFault)
    return kind(message, fix=fix)


def _retry_after(text: str, *, now: datetime) -> float | None:
    """Return the seconds of a Retry-After header: a number, or a date (RFC 9110 section 10.2.3)."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())
