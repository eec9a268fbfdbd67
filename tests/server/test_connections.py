"""Connections of the web process over real sockets: HEAD, unfinished requests, bodies that are refused unread."""

import encodings
import re
import socket
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from kit.servers import Scene
from server.test_serve import serving

from sis_sync.server.api.problems import UNREADABLE
from sis_sync.server.middleware import Request as BodyRequest
from sis_sync.server.middleware import is_utf_8
from sis_sync.server.serve.connections import UNFINISHED_SECONDS, Request

HOST = b"Host: 127.0.0.1\r\n"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with serving(Scene(tmp_path_factory.mktemp("connections"), "")) as (_, said):
        found = re.search(r"Serving on http://127\.0\.0\.1:(\d+)", said)
        assert found
        yield int(found[1])


def connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def head_and_rest(connection: socket.socket) -> tuple[bytes, bytes]:
    """The next header of an answer, and what came with it."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        assert more, data
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


@pytest.mark.xdist_group("connections")
def test_head_sends_no_body_and_keeps_the_connection(port: int) -> None:
    statuses = []
    with connected(port) as connection:
        for path in (
            b"/",
            b"/sign-in",
            b"/nowhere",
            b"/sign-out",
            b"/static/web/site.js",
            b"/api/v1/ping",
            b"/api/v1/x",
        ):
            connection.sendall(b"HEAD " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n")
            head, rest = head_and_rest(connection)
            statuses.append(int(head.split()[1]))
            assert rest == b""
        connection.sendall(b"GET /sign-in HTTP/1.1\r\n" + HOST + b"\r\n")
        assert head_and_rest(connection)[0].startswith(b"HTTP/1.1 200 OK")
    assert statuses == [302, 200, 404, 405, 200, 401, 404]


@pytest.mark.xdist_group("connections")
def test_refused_body_is_not_read(port: int) -> None:
    for path, status in ((b"/api/v1/runs?mode=partial", b"401"), (b"/sign-in", b"302")):
        with connected(port) as connection:
            request = b"POST " + path + b" HTTP/1.1\r\n" + HOST + b"Authorization: Bearer sissync_x\r\n"
            connection.sendall(request + b"Content-Length: 30000000\r\n\r\n")
            head, _ = head_and_rest(connection)  # although no body was sent
            assert head.split()[1] == status
            assert b"Connection: close" in head
            connection.sendall(b"x" * 100_000)  # what was on its way does not destroy the answer
            while connection.recv(65536):
                pass


@pytest.mark.xdist_group("connections")
@pytest.mark.parametrize("path", ["/sign-in", "/api/v1/runs?mode=full"])
def test_only_utf_8_is_read(port: int, path: str) -> None:
    form = b'--cut\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--cut--\r\n'
    answers = {}
    for said in ("utf-8", "UTF8", "us-ascii", "latin-1", "base64", "idna", "undefined", "nothing"):
        with connected(port) as connection:
            head = f"POST {path} HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=cut; charset={said}\r\n"
            connection.sendall(head.encode() + HOST + f"Content-Length: {len(form)}\r\n\r\n".encode() + form)
            answers[said] = int(head_and_rest(connection)[0].split()[1])
    refused = {said for said, status in answers.items() if status == 415}
    assert refused == {"latin-1", "base64", "idna", "undefined", "nothing"}, answers
    assert max(answers.values()) < 500, answers
    for unreadable in (b"c*=nothing''d", b"c*=a; c*0=b"):
        with connected(port) as connection:
            call = b"GET " + path.encode() + b" HTTP/1.1\r\nContent-Type: a/b; " + unreadable + b"\r\n"
            connection.sendall(call + HOST + b"\r\n")
            answer, _ = head_and_rest(connection)
            assert answer.startswith(b"HTTP/1.1 415 ")
            assert (b"application/problem+json" in answer) == path.startswith("/api/")


@pytest.mark.xdist_group("connections")
def test_part_whose_header_cannot_be_read_is_refused(port: int) -> None:
    form = b'--cut\r\nContent-Disposition: form-data; name="a"; c*=a; c*0=b\r\n\r\n1\r\n--cut--\r\n'
    with connected(port) as connection:
        head = b"POST /sign-in HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=cut\r\n" + HOST
        head += b"Cookie: csrftoken=" + b"a" * 32 + b"\r\n"  # so that the body is looked at
        connection.sendall(head + f"Content-Length: {len(form)}\r\n\r\n".encode() + form)
        assert head_and_rest(connection)[0].split()[1] == b"400"


BROKEN = {
    "header": b'\r\n--cut\r\nContent-Disposition: form-data; name="a"; c*=a; c*0=b\r\n\r\n1\r\n--cut--\r\n',
    "base64": b"A\r\n--cut--\r\n",
    "too many": b'\r\n--cut\r\nContent-Disposition: form-data; name="a"\r\n\r\n1' * 2000 + b"\r\n--cut--\r\n",
}


@pytest.mark.parametrize("rest", BROKEN.values(), ids=BROKEN)
def test_no_file_stays_of_a_body_that_cannot_be_read(rest: bytes, settings: Any, tmp_path: Path) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    part = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n'
    part += b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUFB" * 20_000
    body = part + b"\r\n" + part + rest
    said = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "multipart/form-data; boundary=cut", "wsgi.input": BytesIO(body)}
    request = BodyRequest({**said, "CONTENT_LENGTH": str(len(body))})
    with pytest.raises(UNREADABLE) as caught:
        len(request.FILES)
    assert caught.tb  # which would keep the file open
    assert list(tmp_path.iterdir()) == []


def test_names_of_encodings_are_not_kept() -> None:
    kept = len(encodings._cache)
    names = [f"text/plain; charset=nothing-{number}" for number in range(20)]
    assert not any(map(is_utf_8, names))
    assert len(encodings._cache) == kept
    said = ("a/b", "a/b; charset=", 'a/b; CHARSET="Utf-8"', "a/b; charset=utf8; x=y", "a/b; charset=us-ascii")
    assert all(map(is_utf_8, said))


@pytest.mark.xdist_group("connections")
def test_body_without_a_size_is_refused(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(b"POST /api/v1/runs HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
        assert head_and_rest(connection)[0].split()[1] == b"401"


@pytest.mark.xdist_group("connections")
def test_many_unfinished_requests_leave_room(port: int) -> None:
    held = [connected(port) for _ in range(400)]
    try:
        for connection in held:
            connection.sendall(b"GET / HTTP/1.1\r\n" + HOST)
        with connected(port) as connection:
            connection.sendall(b"GET /sign-in HTTP/1.1\r\n" + HOST + b"\r\n")
            assert head_and_rest(connection)[0].startswith(b"HTTP/1.1 200 OK")
    finally:
        for connection in held:
            connection.close()


@pytest.mark.night
@pytest.mark.xdist_group("connections")
@pytest.mark.parametrize("begun", [b"", b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Length: 5000\r\n\r\n"])
def test_dripping_request_is_closed(port: int, begun: bytes) -> None:
    began_at = time.monotonic()
    with connected(port) as connection:
        connection.sendall(begun or b"GET / HTTP/1.1\r\nX: ")
        connection.settimeout(0.5)
        while time.monotonic() - began_at < 2 * UNFINISHED_SECONDS:
            try:
                connection.sendall(b"a")
                if connection.recv(1000) == b"":
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
    assert UNFINISHED_SECONDS - 1 < time.monotonic() - began_at < UNFINISHED_SECONDS + 5


def test_time_of_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    from waitress.adjustments import Adjustments  # type: ignore[import-untyped]

    moment = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: moment)
    request = Request(Adjustments())
    request.received(b"POST / HTTP/1.1\r\n")
    moment += UNFINISHED_SECONDS
    assert not request.is_overdue()
    request.received(b"Content-Length: 60000\r\n\r\n")
    moment += UNFINISHED_SECONDS + 1
    assert request.is_overdue()
    request.received(b"x" * 5000)  # five seconds' worth
    assert not request.is_overdue()
    moment += 5
    assert request.is_overdue()


def test_large_request_waits_after_its_headers() -> None:
    from waitress.adjustments import Adjustments

    request = Request(Adjustments())
    head = b"POST / HTTP/1.1\r\nContent-Length: 70000\r\nExpect: 100-continue\r\n\r\n"
    assert request.received(head + b"abc") == len(head)
    assert (request.is_waiting, request.waits_for_continue, request.expect_continue) == (True, True, False)
    assert request.received(b"abc") == 3
    assert (request.kept, request.body_bytes_received) == (b"abc", 0)
