"""The server's HTTP API. No other module uses httpx."""

import gzip
import shutil
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from sis_sync.client.config import API_PATH, Backend
from sis_sync.client.responses import Answer, RunStatus, TryLater, error_of, run_of
from sis_sync.core.errors import ConfigurationError, ServerNotReached
from sis_sync.core.loopback import is_loopback
from sis_sync.core.reading_options import NOTHING_SAID, ReadingOptions
from sis_sync.core.whole_files import write_whole

if TYPE_CHECKING:
    import httpx

_GZIP_FROM_BYTES = 1 << 20
_MAX_DOCUMENT_BYTES = 64 << 20


@dataclass(frozen=True)
class Upload:
    """The file to send, unchanged, and how to read it. `sha256` is of the file itself, not of its gzip."""

    path: Path
    file_name: str
    mode: str
    sha256: str
    idempotency_key: str
    mapping_name: str = ""
    mapping_lines: str = ""
    options: ReadingOptions = NOTHING_SAID


class Api:
    """The calls of the API. They raise errors from `core/errors.py`, and TryLater if another attempt may succeed."""

    def __init__(self, http: "httpx.Client") -> None:
        self._http = http

    def ping(self) -> dict[str, Any]:
        """Return the server's name and version, and what this key may do."""
        return self._call("GET", "/ping").document()

    def post_run(self, upload: Upload) -> RunStatus:
        """Send a file and return its run. Sending the same key and body again returns the same run."""
        fields = {"mapping_lines": upload.mapping_lines, "mapping_name": upload.mapping_name, "sha256": upload.sha256}
        fields |= upload.options.as_words()
        headers = {"Idempotency-Key": upload.idempotency_key}
        with _payload(upload) as (payload, kind), payload.open("rb") as file:
            part = (upload.file_name, file, kind)
            request = {"params": {"mode": upload.mode}, "headers": headers, "data": fields, "files": {"file": part}}
            return run_of(self._call("POST", "/runs", **request).document())

    def get_run(self, run_id: str) -> RunStatus:
        """Return the current status of the run. Raise NotThere if the server does not have it."""
        return run_of(self._call("GET", f"/runs/{quote(run_id, safe='')}").document())

    def list_runs(self) -> list[RunStatus]:
        """Return the latest runs that this key may see."""
        return [run_of(each) for each in self._call("GET", "/runs").document().get("runs") or []]

    def approve(self, run_id: str, digest: str) -> RunStatus:
        """Approve exactly the plan with this digest."""
        return run_of(self._call("POST", f"/runs/{quote(run_id, safe='')}/approve", json={"digest": digest}).document())

    def reject(self, run_id: str, reason: str) -> RunStatus:
        """Reject the run. This cannot be undone."""
        return run_of(self._call("POST", f"/runs/{quote(run_id, safe='')}/reject", json={"reason": reason}).document())

    def cancel(self, run_id: str) -> RunStatus:
        """Cancel the run, unless it is applied already."""
        return run_of(self._call("POST", f"/runs/{quote(run_id, safe='')}/cancel").document())

    def report_refusal(self, *, mode: str, file_name: str, sha256: str, code: str, line: int | None) -> None:
        """Report that the client refused a file. No part of the file's content is sent."""
        facts = {"file_name": file_name, "sha256": sha256, "code": code, "line": line}
        self._call("POST", "/refusals", params={"mode": mode}, json=facts)

    def download(self, run_id: str, kind: str, target: Path, *, unchanged: bool = True) -> None:
        """Write the run's `results.csv` or `failed.csv` to `target`. If the download fails, leave no partial file.

        Without `unchanged`, the results lack the rows that are unchanged or taken.
        """
        import httpx

        path = f"{API_PATH}/runs/{quote(run_id, safe='')}/{kind}" + ("" if unchanged else "?unchanged=false")
        with _connection_errors(), self._http.stream("GET", path) as response:
            if response.status_code != httpx.codes.OK:
                response.read()
                raise error_of(_answer(response), now=datetime.now(UTC))
            target.parent.mkdir(parents=True, exist_ok=True)
            write_whole(target, response.iter_bytes())

    def _call(self, method: str, path: str, **request: Any) -> Answer:
        with _connection_errors():
            response = self._http.request(method, API_PATH + path, **request)
        answer = _answer(response)
        if not response.is_success:
            raise error_of(answer, now=datetime.now(UTC))
        return answer


@contextmanager
def open_api(backend: Backend, client_name: str) -> Iterator[Api]:
    """Yield the API of the configured server. Do not follow redirects, so that no other server gets the key."""
    import importlib.metadata

    import httpx

    headers = {
        "Authorization": f"Bearer {backend.token.secret}",
        "User-Agent": f"sis-sync/{importlib.metadata.version('sis-sync')}",
        "X-Client-Name": quote(client_name),
        "Accept": "application/json",
    }
    loopback = is_loopback(urlsplit(backend.url).hostname or "")
    with httpx.Client(
        base_url=backend.url,
        headers=headers,
        timeout=backend.timeout_seconds,
        verify=_ssl_context(backend),
        proxy=backend.proxy or None,
        trust_env=not loopback,  # traffic that stays on this computer must not go through a proxy
        follow_redirects=False,
    ) as http:
        yield Api(http)


def _ssl_context(backend: Backend) -> ssl.SSLContext:
    """Return a context that trusts the usual authorities, the computer's and the district's. It always verifies."""
    import httpx

    context = httpx.create_ssl_context()
    context.load_default_certs()
    try:
        if backend.ca_file:
            context.load_verify_locations(backend.ca_file)
    except (ssl.SSLError, OSError):
        message = f"backend.ca.file: {backend.ca_file} contains no certificates that can be read."
        raise ConfigurationError(message, fix="Name a file with certificates in PEM form.") from None
    return context


@contextmanager
def _payload(upload: Upload) -> Iterator[tuple[Path, str]]:
    """Yield the path of the file to send, and its media type. Compress a large file with gzip.

    The gzip header contains no name and no time, so a retry sends the same bytes.
    """
    if upload.path.stat().st_size < _GZIP_FROM_BYTES:
        yield upload.path, "text/csv"
        return
    import tempfile

    with tempfile.TemporaryDirectory(prefix="sis-sync-") as folder:
        packed = Path(folder) / "file.gz"
        with (
            upload.path.open("rb") as source,
            packed.open("wb") as raw,
            gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0) as out,
        ):
            shutil.copyfileobj(source, out, 1 << 20)
        yield packed, "application/gzip"


def _answer(response: "httpx.Response") -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, response.content[:_MAX_DOCUMENT_BYTES])


@contextmanager
def _connection_errors() -> Iterator[None]:
    """Turn httpx errors into TryLater, or into ServerNotReached if another attempt cannot help."""
    import httpx

    try:
        yield
    except httpx.TransportError as error:
        if _is_distrust(error):
            message = "The server's certificate is not trusted."
            raise ServerNotReached(message, fix="Name the district's own authority: backend.ca.file=PATH.") from None
        message = f"No answer from the server: {_in_words(error)}."
        raise TryLater(message, fix="Check backend.url, the network and backend.proxy.") from None
    except (httpx.InvalidURL, httpx.DecodingError):
        raise ServerNotReached("The server's answer cannot be read.", fix="Check backend.url.") from None


def _in_words(error: "httpx.TransportError") -> str:
    import httpx

    words: dict[type[httpx.TransportError], str] = {
        httpx.ConnectTimeout: "it could not be reached in time",
        httpx.TimeoutException: "it took too long",
        httpx.ConnectError: "it cannot be reached",
        httpx.ProxyError: "the proxy did not let the call through",
    }
    return next((said for kind, said in words.items() if isinstance(error, kind)), "the connection broke off")


def _is_distrust(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
