"""The call by which a client tells of a file that it refused itself and did not send."""

from typing import Annotated

from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status

from sis_sync.core.errors import UsageFault
from sis_sync.core.modes import MODES
from sis_sync.server.api.runs import FAULTS
from sis_sync.server.api.signed import SignedRequest, require_mode, require_scope
from sis_sync.server.audit.services import record
from sis_sync.server.keys.services import UPLOAD
from sis_sync.server.runs.storage import base_name

router = Router(tags=["refusals"])


class Refusal(Schema):
    """Which file was refused, and why. Nothing of its content."""

    file_name: str = Field(max_length=255)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    code: str = Field(pattern=r"^file\.[a-z_]+$", max_length=40)
    line: int | None = None


@router.post("", response={204: None, **FAULTS}, summary="Tell of a file that the client refused")
def tell_refusal(
    request: SignedRequest, mode: Annotated[str, Query(description="The mode it was for.")], body: Refusal
) -> Status[None]:
    """Writes it into the log, where managers see it."""
    key = request.auth
    require_scope(key, UPLOAD)
    if mode not in MODES:
        raise UsageFault(f'There is no mode "{mode[:20]}".', fix=f"The modes are {', '.join(MODES)}.")
    require_mode(key, mode)
    detail = {
        "mode": mode,
        "file_name": base_name(body.file_name),
        "sha256": body.sha256,
        "code": body.code,
        "line": body.line,
    }
    record(
        school_system=key.school_system,
        action="file.refused_by_client",
        api_key=key,
        detail=detail,
        now=timezone.now(),
    )
    return Status(204, None)
