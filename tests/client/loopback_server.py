"""A real HTTP server on loopback that speaks the API's contract and, when told to, fails in the ways networks do."""

import contextlib
import email
import email.message
import gzip
import hashlib
import json
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sis_sync.core.api_key import checksum

_INVENTED = "sissync_" + "inventedforthetests".ljust(40, "0")
SECRET = _INVENTED + checksum(_INVENTED)
DECISIONS = {"approve": "approved", "reject": "rejected", "cancel": "cancelled"}
RESULTS = b"line,action,custom_id,fields,codes,message\r\n2,create,S1,,,\r\n"


@dataclass
class Received:
    """One POST /runs that arrived."""

    mode: str
    key: str
    file_name: str
    body: bytes
    fields: dict[str, str]


@dataclass
class LoopbackServer:
    """`faults` are used up one per POST /runs, `looks_left` one per look; `runs` by idempotency key, as agreed."""

    port: int = 0
    faults: list[Callable[["Handler"], bool]] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    runs: dict[str, dict[str, object]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    refusals: list[dict[str, object]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    state: str = "applied"
    counts: dict[str, int] = field(default_factory=lambda: {"rows": 1, "create": 1, "failed": 0})
    findings: dict[str, int] = field(default_factory=dict)
    results: bytes = RESULTS
    no_results: tuple[int, str] = (410, "Report removed")
    looks_left: int = 1000
    looked_at: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: LoopbackServer

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def answer(self, status: int, document: object, **headers: str) -> None:
        self.answer_bytes(status, json.dumps(document).encode(), **headers)

    def answer_bytes(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def problem(self, status: int, title: str, **more: object) -> None:
        self.answer(status, {"type": "urn:x", "title": title, "detail": f"{title}.", "fix": "Do it.", **more})

    def is_allowed(self) -> bool:
        self.owner.headers.append({name.lower(): value for name, value in self.headers.items()})
        if self.headers.get("Authorization") == f"Bearer {SECRET}":
            return True
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.problem(401, "API key refused")
        return False

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if not self.is_allowed():
            return
        if path == "/api/v1/ping":
            ping = {"server_version": "0.1.0", "school_system": "Riverbend", "modes": ["partial"], "scopes": ["upload"]}
            self.answer(200, {**ping, "server_time": "2026-11-23T06:00:00+00:00", "is_paused": False})
            return
        if path == "/api/v1/runs":
            self.answer(200, {"runs": [self.with_state(run) for run in self.owner.runs.values()]})
            return
        run_id, _, rest = path.removeprefix("/api/v1/runs/").partition("/")
        run = next((each for each in self.owner.runs.values() if each["id"] == run_id), None)
        if run is None:
            self.problem(404, "Not found")
        elif rest == "results.csv" and self.owner.results:
            lines = self.owner.results.splitlines(keepends=True)
            is_whole = "unchanged=false" not in urlsplit(self.path).query
            told = (line for line in lines if is_whole or b",taken," not in line)
            self.answer_bytes(200, b"".join(told))
        elif rest == "results.csv":
            self.problem(*self.owner.no_results)
        elif rest:
            self.problem(404, "Not found")
        elif self.owner.looks_left == 0:
            self.answer(429, {"title": "Too many calls", "detail": "Wait."}, Retry_After="60")
        else:
            self.owner.looks_left -= 1
            self.owner.looked_at.append(run_id)
            self.answer(200, self.with_state(run))

    def with_state(self, run: dict[str, object]) -> dict[str, object]:
        return {**run, "state": self.owner.state, "counts": self.owner.counts, "findings": self.owner.findings}

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        if not self.is_allowed():
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if path == "/api/v1/refusals":
            self.owner.refusals.append(json.loads(body))
            self.answer(202, {})
            return
        if done := DECISIONS.get(path.rsplit("/", 1)[1]):
            self.answer(200, {"id": path.split("/")[4], "mode": "partial", "state": done})
            return
        if self.owner.faults and self.owner.faults.pop(0)(self):
            return
        self.store(body)
        if self.owner.faults and self.owner.faults[0] is lost_answer:
            self.owner.faults.pop(0)
            cut(self)
            return
        self.answer(202, self.owner.runs[self.headers["Idempotency-Key"]])

    def store(self, body: bytes) -> None:
        key = self.headers["Idempotency-Key"]
        received = self.parsed(key, body)
        self.owner.received.append(received)
        digest = hashlib.sha256(repr((received.mode, received.body, received.fields)).encode()).hexdigest()
        assert self.owner.digests.setdefault(key, digest) == digest, "same key, other body"
        number = str(len(self.owner.runs) + 1)
        run = {"id": number, "mode": received.mode, "state": "received", "file_name": received.file_name}
        self.owner.runs.setdefault(key, {**run, "page": f"/runs/{number}", "digest": "d1"})

    def parsed(self, key: str, body: bytes) -> Received:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        fields, file_name, content = {}, "", b""
        for part in email.message_from_bytes(head + body).get_payload():
            assert isinstance(part, email.message.Message)
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            if part.get_filename():
                file_name, content = str(part.get_filename()), payload
            else:
                fields[str(part.get_param("name", header="content-disposition"))] = payload.decode()
        plain = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
        mode = parse_qs(urlsplit(self.path).query)["mode"][0]
        return Received(mode, key, file_name, plain, fields)


def cut(handler: Handler) -> None:
    """Reset the connection without a word."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()
    handler.wfile = open("/dev/null", "wb")  # noqa: PTH123, SIM115 - the base class closes it


def dropped(handler: Handler) -> bool:
    """Fault: nothing is stored, the connection drops."""
    cut(handler)
    return True


def lost_answer(handler: Handler) -> bool:
    """Fault: the file is stored, the answer never arrives."""
    handler.owner.faults.insert(0, lost_answer)
    return False


def status(code: int, **headers: str) -> Callable[[Handler], bool]:
    """Fault: this answer instead of a run."""

    def fault(handler: Handler) -> bool:
        handler.answer_bytes(code, b"{}", **headers)
        return True

    return fault


class _Server(ThreadingHTTPServer):
    """Prints nothing when a killed client has closed its connection: the tests look for tracebacks."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextlib.contextmanager
def serving() -> Iterator[LoopbackServer]:
    owner = LoopbackServer()
    handler = type("BoundHandler", (Handler,), {"owner": owner})
    with _Server(("127.0.0.1", 0), handler) as server:
        owner.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield owner
        finally:
            server.shutdown()
            thread.join()
