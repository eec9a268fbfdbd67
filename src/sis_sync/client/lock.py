"""One client per state folder: a lock of the system that dies with its process."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sis_sync.core.errors import AnotherInstanceRuns, ConfigurationError
from sis_sync.core.file_lock import file_lock


@contextmanager
def client_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of the state folder. AnotherInstanceRuns if somebody else does."""
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            is_free = held.enter_context(file_lock(folder / "client.lock"))
        except OSError as error:
            message = f"The state folder {folder} cannot be used: {error.strerror}."
            raise ConfigurationError(
                message, fix="Name a folder that the client may write to: client.state.folder=PATH."
            ) from None
        if not is_free:
            raise AnotherInstanceRuns(
                f"Another sync client works with the state folder {folder}.",
                fix="Wait until it has ended, or stop it; a second client needs its own client.state.folder.",
            )
        yield
