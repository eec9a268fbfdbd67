"""Middleware that answers HEAD, refuses plain HTTP and uploads without room, and adds headers and the page for 405.

Also what is around Django itself: it refuses requests in an encoding other than UTF-8, and bodies that crash Python.
"""

import tempfile
from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.utils.http import parse_header_parameters

from sis_sync.core.loopback import is_loopback
from sis_sync.server.place import require_room

Respond = Callable[[HttpRequest], HttpResponse]

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
REFUSED_PLAIN_HTTP = (
    "This server answers plain HTTP only on its own machine. Put a reverse proxy with HTTPS in front of it "
    "and set SIS_SYNC_BEHIND_PROXY=1.\n"
)
API = "/api/"
UTF_8 = ("", "utf-8", "utf8", "ascii", "us-ascii")
OTHER_ENCODING = "The Content-Type of this request names another encoding than UTF-8, or cannot be read."
SEND_UTF_8 = "Send the request as UTF-8, or without a charset."


def refuse_other_encodings(application: WSGIApplication) -> WSGIApplication:
    """Refuse a request whose Content-Type names an encoding other than UTF-8. Python has some that Django fails at."""

    def middleware(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if is_utf_8(environ.get("CONTENT_TYPE", "")):
            return application(environ, start_response)
        refusal = refusal_of_encoding(environ.get("PATH_INFO", ""))
        headers = [*refusal.items(), ("Content-Length", str(len(refusal.content)))]
        start_response(f"{refusal.status_code} {refusal.reason_phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [refusal.content]

    return middleware


def refusal_of_encoding(path: str) -> HttpResponse:
    """Return the answer to a request in another encoding: a problem if it is a call of the API."""
    from sis_sync.server.api.problems import problem  # needs the settings, which are named after this module is read

    if path.startswith(API):
        return problem("not-understood", "Not understood", 415, OTHER_ENCODING, SEND_UTF_8)
    return HttpResponse(f"{OTHER_ENCODING} {SEND_UTF_8}\n", status=415, content_type="text/plain; charset=utf-8")


def is_utf_8(content_type: str) -> bool:
    """True if the header can be read, and names no encoding, or UTF-8 or the part of it that is ASCII.

    The name is not looked up: Python never forgets a name that it was asked for, so anyone could fill the memory.
    """
    try:
        _, parameters = parse_header_parameters(content_type)
    except (ValueError, TypeError):  # TypeError: of a parameter with and without a number, as `c*=a; c*0=b`
        return False
    return parameters.get("charset", "").lower() in UTF_8


class UploadHandler(TemporaryFileUploadHandler):
    """Writes files to the disk. Their names there have no part of the sent name, which may be too long for that."""

    def new_file(self, field_name: str, file_name: str, *others: Any, **more: Any) -> None:
        """Make the temporary file."""
        super().new_file(field_name, "file", *others, **more)
        self.file_name = self.file.name = file_name


class Request(WSGIRequest):
    """A request. Python fails at some headers of the parts of its body, which then is one that cannot be read."""

    def parse_file_upload(self, META: Any, post_data: Any) -> Any:  # noqa: N803 - Django's name
        """Return the fields and files of the body. Raise MultiPartParserError if it cannot be read.

        Then no file of it stays on the disk: Django would leave the one whose part is not over.
        """
        try:
            return super().parse_file_upload(META, post_data)
        except Exception as error:
            for handler in self.upload_handlers:
                handler.upload_interrupted()
            if isinstance(error, TypeError):  # see is_utf_8
                raise MultiPartParserError("A part has a header that cannot be read.") from error
            raise


def answer_head(respond: Respond) -> Respond:
    """Answer HEAD like GET, without the body. A body would be read as the next answer of a kept connection."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.method != "HEAD":
            return respond(request)
        request.method = request.META["REQUEST_METHOD"] = "GET"
        full = respond(request)
        answer = HttpResponse(status=full.status_code, headers=full.headers)
        answer.cookies = full.cookies
        if not full.streaming:
            answer.headers["Content-Length"] = str(len(full.content))
        full.close()
        return answer

    return middleware


def refuse_plain_http(respond: Respond) -> Respond:
    """Refuse requests from other machines without HTTPS, because passwords and keys must not be sent unencrypted."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if is_plain_from_elsewhere(request):
            return HttpResponse(REFUSED_PLAIN_HTTP, status=403, content_type="text/plain; charset=utf-8")
        return respond(request)

    return middleware


def is_plain_from_elsewhere(request: HttpRequest) -> bool:
    """True if the request comes without HTTPS from another machine."""
    if request.is_secure():
        return False
    # A forwarded request has the proxy's address, but it was never made on the proxy's machine.
    is_passed_on = settings.SIS_SYNC_BEHIND_PROXY and "HTTP_X_FORWARDED_PROTO" in request.META
    peer = request.META.get("REMOTE_ADDR", "")  # empty for a Unix socket, which is local
    return is_passed_on or not (peer == "" or is_loopback(peer))


def add_security_headers(respond: Respond) -> Respond:
    """Forbid content from other sites in pages, and keep pages that show people out of caches."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = respond(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def show_wrong_method(respond: Respond) -> Respond:
    """Show a page if an address that only takes a form is opened, as by Back or reload. Calls get their own answer."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = respond(request)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED or response.content:
            return response
        shown = render(request, "405.html", status=response.status_code)
        shown.headers["Allow"] = response.headers["Allow"]
        return shown

    return middleware


def refuse_without_room(respond: Respond) -> Respond:
    """Refuse an upload that the disks have no room for before its body is parsed, which writes the file to a disk."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.content_type == "multipart/form-data":
            declared_bytes = int(request.META.get("CONTENT_LENGTH") or 0)
            require_room(2 * declared_bytes)  # the upload as it arrives, and the copy that the run keeps
            require_room(declared_bytes, folder=Path(tempfile.gettempdir()))
        return respond(request)

    return middleware
