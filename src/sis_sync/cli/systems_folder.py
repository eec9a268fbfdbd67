"""The folder that gets a plan for each school system: nothing in it is half written or of an earlier run."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sis_sync.cli.plan_request import PlanRequest
from sis_sync.core.errors import AnotherInstanceRuns, UsageFault
from sis_sync.core.file_lock import file_lock

LOCK = ".sis-sync.lock"


def plan_path(folder: Path, request: PlanRequest) -> Path:
    """Where the plan of this school system is, once it is whole."""
    return folder / f"{request.school_system}.csv"


@contextmanager
def folder_for_plans(folder: Path, systems: Path, requests: tuple[PlanRequest, ...]) -> Iterator[Path]:
    """A folder inside, for plans until they are whole. Plans of an earlier run are removed before anything is planned.

    So a plan that lies there is of this run, however it ended: an old one beside a refusal would be taken for new.
    Files of other names are left alone. UsageFault where plans cannot be written, or would overwrite what is read;
    AnotherInstanceRuns where another run writes there now.
    """
    with ExitStack() as held:
        try:
            folder.mkdir(exist_ok=True)
            is_free = held.enter_context(file_lock(folder / LOCK))
        except OSError as error:
            raise _unwritable(folder, error.strerror) from error
        if not is_free:
            raise AnotherInstanceRuns(
                f"Another run writes its plans to {folder}.", fix="Wait until it has ended, or name another folder."
            )
        _refuse_overwriting(folder, systems, requests)
        yield Path(held.enter_context(_emptied(folder, requests)))


def _emptied(folder: Path, requests: tuple[PlanRequest, ...]) -> "tempfile.TemporaryDirectory[str]":
    paths = [plan_path(folder, each) for each in requests]
    for path in paths:
        if path.is_dir():
            raise _unwritable(folder, f"{path.name} is in the way")
    path = folder
    try:
        parts = tempfile.TemporaryDirectory(prefix=".sis-sync-", dir=folder)
        for path in paths:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(folder, f"{path.name}: {error.strerror}") from error
    return parts


def _unwritable(folder: Path, reason: str | None) -> UsageFault:
    return UsageFault(
        f"The plans cannot be written to {folder}: {reason}.",
        fix="Name a folder that is there, or a new one in a folder that is; close plans that are open elsewhere.",
    )


def _refuse_overwriting(folder: Path, systems: Path, requests: tuple[PlanRequest, ...]) -> None:
    is_read = _identities([systems, *(path for each in requests for path in _files_of(each))])
    for each in requests:
        path = plan_path(folder, each)
        if _identities([path]) & is_read:
            raise UsageFault(
                f"The plan of {each.school_system} would overwrite {path}, which this run reads.",
                fix="Name a folder of its own for the plans.",
            )


def _files_of(request: PlanRequest) -> Iterator[Path]:
    yield from (request.file, request.orgs)
    if request.accounts:
        yield request.accounts
    if request.mapping:
        yield request.folder / request.mapping


def _identities(paths: Iterable[Path]) -> set[tuple[int, int]]:
    """What the files are, whatever they are called; a name in other letters may be the same file."""
    found = set()
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        found.add((status.st_dev, status.st_ino))
    return found
