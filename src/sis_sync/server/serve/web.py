"""The web process: waitress with 16 threads. Started by the supervisor as `python -m sis_sync.server.serve.web`."""

import sys
from typing import Any

import waitress  # type: ignore[import-untyped]

from sis_sync.server.serve.connections import UNFINISHED_SECONDS, allow_open_files, use_connections
from sis_sync.server.serve.supervisor import CANNOT_LISTEN, end_process, exit_on_signals, stop_with_parent

THREADS = 16
MOST_HEADER_BYTES = 64 << 10
# The largest roster (1 GB) plus room for the other parts of the form.
MAX_BODY_BYTES = (1 << 30) + (16 << 20)


def main(host: str, port: int) -> int:
    """Serve until a signal. Return 98 if the process cannot listen on the address."""
    from django.conf import settings

    from sis_sync.server.wsgi import application

    stop_with_parent(end_process)
    exit_on_signals()
    try:
        server = waitress.create_server(application, host=host, port=port, **_options(settings.SIS_SYNC_BEHIND_PROXY))
    except OSError:
        return CANNOT_LISTEN
    use_connections(server)
    sys.stdout.write(f"Serving on http://{_shown(host)}:{_port_of(server, port)}/\n")
    sys.stdout.flush()
    server.run()
    return 0


def _options(is_behind_proxy: bool) -> dict[str, Any]:
    options: dict[str, Any] = {
        "threads": THREADS,
        "ident": None,
        "max_request_body_size": MAX_BODY_BYTES,
        "max_request_header_size": MOST_HEADER_BYTES,
        "connection_limit": allow_open_files(),
        "asyncore_use_poll": True,  # select takes no more than 1,024 connections
        "channel_timeout": UNFINISHED_SECONDS,
        "cleanup_interval": 1,
    }
    if is_behind_proxy:
        trusted = {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}
        options |= {"trusted_proxy": "*", "trusted_proxy_count": 1, "trusted_proxy_headers": trusted}
    return options


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _port_of(server: Any, port: int) -> int:
    """Return the port in use. Waitress has several if the host has several addresses."""
    return int(getattr(server, "effective_port", 0) or port)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
