"""Assembles the HTTP API: its authentication, its answers to errors and the addresses of its calls."""

from importlib.metadata import version

from django.urls import path, re_path
from django.utils import timezone
from ninja import NinjaAPI

from sis_sync.server.api.auth import BearerKey, SignedRequest
from sis_sync.server.api.problems import add_problem_answers, unknown_address
from sis_sync.server.api.runs import FAULTS, refusals_router
from sis_sync.server.api.runs import router as runs
from sis_sync.server.api.schemas import Ping

VERSION = version("sis-sync")
api = NinjaAPI(
    title="SIS Sync",
    version=VERSION,
    description="The API that sync clients call. Errors are problem+json with type, title, detail and fix.",
    docs_url=None,
    auth=BearerKey(),
    urls_namespace="api",
)
api.add_router("/runs", runs)
api.add_router("/refusals", refusals_router)
add_problem_answers(api)


@api.get(
    "/ping",
    operation_id="ping",
    response={200: Ping, **FAULTS},
    tags=["server"],
    summary="Check that the server answers and the key is valid",
)
def ping(request: SignedRequest) -> Ping:
    """Returns the version of the server and the rights of this key."""
    key = request.auth
    return Ping(
        server_version=VERSION,
        school_system=key.school_system.name,
        org=key.org.name,
        scopes=key.scopes,
        modes=key.modes,
        is_paused=False,
        server_time=timezone.now(),
    )


urlpatterns = [
    path("", api.urls),
    re_path(r"^(.*)$", unknown_address),
]
