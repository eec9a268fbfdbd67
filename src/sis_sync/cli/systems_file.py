"""SYSTEMS.csv: the school systems of one run. Each row names a school system and its input files."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from sis_sync.cli.plan_request import PlanRequest
from sis_sync.core.errors import ConfigurationError
from sis_sync.core.modes import MODES
from sis_sync.core.wording import shown
from sis_sync.steps.directory.csv_file import records_of

NEEDED = ("school_system", "file", "mode", "orgs")
OPTIONAL = ("accounts", "mapping")
NAME_BYTES = 80  # escaping makes a name three times as long, and most systems limit a folder's name to 255 bytes
_NO_FILE_NAME = re.compile(r'[<>:"/\\|?*]')
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.IGNORECASE)
_FIX_NAME = "The plan's file gets this name. Use letters, digits, spaces, - and _, which every system allows."


def read_systems(path: Path) -> tuple[PlanRequest, ...]:
    """Return the request of each school system, in the order of the file. Relative paths start in the file's folder.

    Raise ConfigurationError for the first fault, with its line and its fix.
    """
    try:
        lines = list(records_of(path))
    except OSError as error:
        raise ConfigurationError(f"{shown(path.name)} cannot be read.", fix="Check the path.") from error
    systems: dict[str, PlanRequest] = {}
    for line, row in _rows(path, lines):
        where = f"{shown(path.name)} line {line}"
        request = _request(where, row, path.parent)
        key = _without_case(request.school_system)
        if key in systems:
            raise ConfigurationError(
                f'{where}: there is a school system "{systems[key].school_system}" already.',
                fix="Use another name: plans are files, and some systems ignore upper and lower case in file names.",
            )
        systems[key] = request
    if not systems:
        raise ConfigurationError(
            f"{shown(path.name)} lists no school system.", fix="Write one row for each school system."
        )
    return tuple(systems.values())


def _rows(path: Path, lines: list[tuple[int, list[str]]]) -> Iterator[tuple[int, dict[str, str]]]:
    _, header = lines[0] if lines else (1, [])
    names = [name.strip().lower() for name in header]
    _refuse_header(path, names)
    for line, cells in lines[1:]:
        yield line, dict(zip(names, map(str.strip, cells), strict=True))


def _refuse_header(path: Path, names: list[str]) -> None:
    missing = [name for name in NEEDED if name not in names]
    unknown = [name for name in names if name not in NEEDED + OPTIONAL]
    twice = [name for name in names if names.count(name) > 1]
    if missing:
        fault = f"lacks the columns {', '.join(missing)}"
    elif unknown:
        fault = f'has an unknown column "{shown(unknown[0])}"'
    elif twice:
        fault = f"has the column {twice[0]} twice"
    else:
        return
    raise ConfigurationError(
        f"{shown(path.name)} {fault}.", fix=f"It needs {', '.join(NEEDED)}, and may have {', '.join(OPTIONAL)}."
    )


def _request(where: str, row: dict[str, str], folder: Path) -> PlanRequest:
    for column, cell in row.items():
        if column in NEEDED and not cell:
            raise ConfigurationError(f"{where}: {column} is empty.", fix=f"Each row needs {', '.join(NEEDED)}.")
        if any(ord(character) < 32 for character in cell):
            raise ConfigurationError(
                f'{where}, {column}: "{shown(cell)}" contains a control character.', fix="Type the value again."
            )
    if row["mode"] not in MODES:
        raise ConfigurationError(
            f'{where}: "{shown(row["mode"])}" is not a mode.', fix=f"The modes are {', '.join(MODES)}."
        )
    if fault := _fault_of_name(row["school_system"]):
        name = shown(row["school_system"])
        raise ConfigurationError(f'{where}: the school system "{name}" {fault}.', fix=_FIX_NAME)
    accounts = row.get("accounts")
    return PlanRequest(
        file=folder / row["file"],
        mode=row["mode"],
        orgs=folder / row["orgs"],
        accounts=folder / accounts if accounts else None,
        mapping=row.get("mapping") or None,
        folder=folder,
        school_system=row["school_system"],
    )


def _fault_of_name(name: str) -> str | None:
    """Return why some operating system does not allow a file NAME.csv, or None if all allow it."""
    if found := _NO_FILE_NAME.search(name):
        return f"contains {found[0]}, which some systems do not allow in a file name"
    if not name.isprintable():
        return "contains a character that cannot be shown"
    if name.startswith(".") or name.endswith("."):
        return "begins or ends with a full stop, which hides or changes a file's name on some systems"
    if _DEVICE.fullmatch(name):
        return "is the name of a device on Windows"
    if len(name.encode()) > NAME_BYTES:
        return f"is longer than {NAME_BYTES} bytes"
    return None


def _without_case(name: str) -> str:
    """Return the name in a form that is equal for names that some operating systems treat as the same file."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
