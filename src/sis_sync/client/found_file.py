"""A file found in a watched folder, as it looked at one moment."""

from dataclasses import dataclass
from pathlib import Path

_TEMPORARY_ENDS = (".part", ".tmp")
_TEMPORARY_STARTS = ("~$", ".")


@dataclass(frozen=True)
class FoundFile:
    """`modified_ns` is the file's own time in nanoseconds since 1970, as the file system tells it."""

    path: Path
    size_bytes: int
    modified_ns: int

    @property
    def is_as_found(self) -> bool:
        """Whether size and time are still the same."""
        return look_at(self.path) == self


def look_at(path: Path) -> FoundFile | None:
    """The file as it looks now, None if it is gone."""
    try:
        status = path.stat(follow_symlinks=False)
    except OSError:
        return None
    return FoundFile(path, status.st_size, status.st_mtime_ns)


def is_temporary(name: str) -> bool:
    """Whether a program that is still writing, or an editor, or the system, gave this name."""
    lowered = name.lower()
    return lowered.endswith(_TEMPORARY_ENDS) or lowered.startswith(_TEMPORARY_STARTS)


def can_open(path: Path) -> bool:
    """Whether the file opens: on Windows a writer often keeps others out until it has finished."""
    try:
        with path.open("rb"):
            return True
    except OSError:
        return False
