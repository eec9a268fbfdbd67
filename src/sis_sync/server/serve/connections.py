"""The web process's connections: how long they may take, and a look at the headers before a large body is read.

Waitress reads a whole request before a thread sees it. Here a thread first asks the application about the headers of
a request with a large body (server/large_bodies.py), and nothing more is read meanwhile. A refused body is never read.
"""

import copy
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.parser import HTTPRequestParser  # type: ignore[import-untyped]
from waitress.server import BaseWSGIServer, TcpWSGIServer  # type: ignore[import-untyped]
from waitress.task import WSGITask  # type: ignore[import-untyped]

from sis_sync.server.windows import HOLD, Hold

MOST_CONNECTIONS = 1200
ACCEPTED_AT_ONCE = 100
MORE_FILES = 300  # open files besides connections: the database, uploads, logs
UNFINISHED_SECONDS = 15
# A body may take longer if it keeps coming in: this is slower than any telephone line.
LEAST_BYTES_A_SECOND = 1000
STALLED_ANSWER_SECONDS = 60
# A body from this size on is judged by its headers before it is read.
LARGE_BYTES = 64 << 10
# What a refused client still sends is thrown away for a moment: otherwise its system would discard our answer.
LINGER_SECONDS = 1.0
LINGER_BYTES = 4 << 20


class Refusal:
    """The application's answer to the headers, as waitress wants an error."""

    def __init__(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        self.answer = (status, [pair for pair in headers if pair[0].lower() != "content-length"], body)

    def to_response(self, _ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        """Return status, headers and body."""
        return self.answer


class Request(HTTPRequestParser):  # type: ignore[misc]
    """A request on its way in. A large one waits after its headers, and keeps what arrives meanwhile."""

    def __init__(self, adj: Any) -> None:
        super().__init__(adj)
        self.began_at = time.monotonic()
        self.is_waiting = self.was_judged = self.waits_for_continue = False
        self.expect_continue: bool = False
        self.kept = b""
        self.hold = Hold()

    def received(self, data: bytes) -> int:
        """Take the bytes that belong to this request and return their number."""
        if self.is_waiting:
            self.kept += data
            return len(data)
        consumed = int(super().received(data))
        if self.headers_finished and not self.completed and not self.was_judged:
            self.was_judged = True
            self.is_waiting = self.chunked or self.content_length >= LARGE_BYTES
            if self.is_waiting:
                self.waits_for_continue, self.expect_continue = bool(self.expect_continue), False
            self.began_at = time.monotonic()  # from now on the body's time counts
        return consumed

    def is_overdue(self) -> bool:
        """Return True if the rest should have arrived by now."""
        extra = self.body_bytes_received / LEAST_BYTES_A_SECOND if self.headers_finished else 0
        return not self.is_waiting and time.monotonic() - self.began_at > UNFINISHED_SECONDS + extra

    def close(self) -> None:
        """Free what the request used. Called once it is answered or given up."""
        super().close()
        self.hold.free()


class Task(WSGITask):  # type: ignore[misc]
    """Answers a request. The application sees what was held for it when its headers were judged."""

    def get_environment(self) -> dict[str, Any]:
        """Return the WSGI environment."""
        environ: dict[str, Any] = super().get_environment()
        environ[HOLD] = self.request.hold
        return environ


class HeaderTask:
    """Judges the headers of the request that a connection waits with, in a thread of the server."""

    def __init__(self, channel: "Channel") -> None:
        self.channel = channel

    def service(self) -> None:
        """Judge, then read on or refuse."""
        self.channel.judge()

    def cancel(self) -> None:
        """The server stops."""
        self.channel.cancel()


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection."""

    request: Request | None = None
    parser_class = Request
    task_class = Task
    is_paused = is_judging = is_refused = False
    linger_until: float | None = None
    lingered_bytes = 0

    def received(self, data: bytes) -> bool:
        """Take what arrived. Ask a thread to judge a large request whose headers are complete."""
        is_taken = bool(super().received(data))
        if self.request is not None and self.request.is_waiting and not self.is_judging:
            self.is_paused = self.is_judging = True
            self.server.add_task(HeaderTask(self))
        return is_taken

    def judge(self) -> None:
        """Ask the application about the headers. Then read on, or answer without reading the body."""
        request = self.request
        if request is None:
            return
        refusal = answer_to_headers(self, request)
        if not self.connected:
            request.close()
            return
        with self.requests_lock:
            request.is_waiting = self.is_judging = False
            kept, request.kept = request.kept, b""
            request.began_at, self.last_activity = time.monotonic(), time.time()
            if refusal is not None:
                request.error, request.completed, self.is_refused, self.request = refusal, True, True, None
                self.requests.append(request)
                if len(self.requests) == 1:
                    self.server.add_task(self)
        if refusal is None:
            if request.waits_for_continue:
                request.expect_continue = True
                if not self.requests:
                    self.send_continue()
            self.received(kept)
        self.is_paused = self.is_judging  # what was kept may contain the headers of the next large request
        self.server.pull_trigger()

    def readable(self) -> bool:
        """Return True if more may be read."""
        return self.linger_until is not None or (not self.is_paused and bool(super().readable()))

    def handle_read(self) -> None:
        """Read, or throw away what a refused client still sends."""
        if self.linger_until is None:
            super().handle_read()
            return
        with suppress(OSError):
            self.lingered_bytes += len(self.recv(self.adj.recv_bytes))

    def handle_close(self) -> None:
        """Close the connection; after a refusal, only for writing at first."""
        if self.is_refused and self.linger_until is None:
            self.linger_until = time.monotonic() + LINGER_SECONDS
            self.will_close = self.close_when_flushed = False
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
            return
        if self.request is not None:
            self.request.close()
        super().handle_close()

    def is_overdue(self) -> bool:
        """Return True if the client should have sent or taken more by now."""
        if self.linger_until is not None:
            return time.monotonic() > self.linger_until or self.lingered_bytes > LINGER_BYTES
        if self.total_outbufs_len:
            return time.time() - self.last_activity > STALLED_ANSWER_SECONDS
        return self.request is not None and bool(self.request.is_overdue())

    def drop(self) -> None:
        """End the connection in this turn of the loop, even if its client takes nothing more."""
        self.will_close = True
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)


class Listener(TcpWSGIServer):  # type: ignore[misc]
    """A listening socket."""

    channel_class = Channel

    def handle_accept(self) -> None:
        """Accept what waits, not only one connection in each turn of the loop: a turn looks at all connections."""
        for _ in range(ACCEPTED_AT_ONCE):
            before = len(self.active_channels)
            super().handle_accept()
            if len(self.active_channels) == before or len(self._map) >= self.adj.connection_limit:
                return

    def maintenance(self, now: float) -> None:
        """End the connections whose time is over. Called once a second."""
        super().maintenance(now)
        for channel in list(self.active_channels.values()):
            if channel.is_overdue():
                channel.drop()


def answer_to_headers(channel: Channel, request: Request) -> Refusal | None:
    """Call the application with the headers alone. Return its refusal, or None if it wants to see the body."""
    headers_only = copy.copy(request)
    headers_only.body_rcv = None
    task = Task(channel, headers_only)
    environ = task.get_environment()
    environ["CONTENT_LENGTH"] = str(request.content_length) if not request.chunked else ""
    request.hold.is_asked = True
    found: list[tuple[str, list[tuple[str, str]]]] = []
    try:
        answer = channel.server.application(environ, lambda status, headers, *_: found.append((status, headers)))
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
    finally:
        request.hold.is_asked = False
    return None if request.hold.is_allowed else Refusal(*found[-1], body)


def use_connections(server: Any) -> None:
    """Let all listening sockets of the waitress server make connections of this kind."""
    for listener in listeners_of(server):
        listener.__class__ = Listener  # waitress chooses the class itself


def listeners_of(server: Any) -> Iterator[Any]:
    """Yield the listening sockets: several if the host has several addresses."""
    sockets = getattr(server, "map", None) or server._map
    return (each for each in sockets.values() if isinstance(each, BaseWSGIServer))


def allow_open_files() -> int:
    """Raise this process's limit of open files if possible. Return how many connections fit."""
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return MOST_CONNECTIONS
    wanted = MOST_CONNECTIONS + MORE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else min(MOST_CONNECTIONS, max(100, soft - MORE_FILES))
