"""The folder and port of a demo, and the settings of its processes."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sis_sync.core.errors import ConfigurationError


@dataclass(frozen=True)
class DemoPlace:
    """`exports` is the folder that the SIS would write to. The other files belong to the server and the client."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def exports(self) -> Path:
        """The watched folder of full.sync."""
        return self.folder / "exports"

    @property
    def properties(self) -> Path:
        """The client's settings file."""
        return self.folder / "client.properties"

    @property
    def key_file(self) -> Path:
        """The file with the client's API key."""
        return self.folder / "api.key"

    @property
    def client_state(self) -> Path:
        """The folder for the client's journal and spool."""
        return self.folder / "client"


@contextmanager
def demo_place(folder: Path | None, port: int) -> Iterator[DemoPlace]:
    """Yield a place with its own empty database. Remove a temporary folder at the end, but keep a named one."""
    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise ConfigurationError(f"{folder} is not empty.", fix="Name a new folder for the demo.")
    root = folder if folder is not None else Path(tempfile.mkdtemp(prefix="sis-sync-demo-"))
    place = DemoPlace(root.resolve(), port or free_port())
    place.exports.mkdir(parents=True)
    os.environ["SIS_SYNC_DATA_FOLDER"] = str(place.folder / "server")
    # The demo's manager looks at runs with the key of the client, and is in a hurry.
    os.environ["SIS_SYNC_CALLS_A_MINUTE"] = "6000"
    for name in (
        "SIS_SYNC_DATABASE_URL",
        "SIS_SYNC_SECRET_KEY_FILE",
        "SIS_SYNC_BEHIND_PROXY",
        "SIS_SYNC_ALLOWED_HOSTS",
    ):
        os.environ.pop(name, None)
    try:
        yield place
    finally:
        if folder is None:
            shutil.rmtree(root, ignore_errors=True)


def free_port() -> int:
    """Return a port on which no program listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def write_properties(place: DemoPlace, api_key: str) -> None:
    """Write the client's key and settings file. The client polls every second, so that the demo is quick."""
    place.key_file.touch(mode=0o600)
    place.key_file.write_text(api_key, encoding="utf-8")
    lines = (
        f"backend.url={place.url}",
        f"backend.api.token.file={place.key_file}",
        "client.poll.seconds=1",
        "client.settle.seconds=1",
        f"client.state.folder={place.client_state}",
        f"client.log.folder={place.folder / 'logs'}",
        "full.sync.enabled=true",
        f"full.sync.folder={place.exports}",
    )
    place.properties.write_text("\n".join(lines) + "\n", encoding="utf-8")
