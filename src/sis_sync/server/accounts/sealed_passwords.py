"""The passwords of a run's file, encrypted next to the file.

The keys are in a folder that a backup leaves out. Without its key, no one can read the passwords of a run. Removing the
key therefore removes them, in old backups too. The key of the fingerprints of passwords is in the same folder.

Each line of the file is a block: its first and last line in the roster, and the encrypted rows.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from sis_sync.core.whole_files import sync_folder, write_whole
from sis_sync.server.installation import read_or_make_secret_key

KEY_FOLDER = "password-keys"
FINGERPRINT_KEY = "fingerprints"
BLOCK_ROWS = 500
Row = tuple[int, str]


class KeyMissing(Exception):
    """The key of these passwords is not here, for example because the server was restored from a backup."""


def seal_passwords(run_id: int, rows: Iterable[Row]) -> None:
    """Encrypt the rows, (line, password) in the order of the file, with a new key. Bring both files to the disk."""
    key = Fernet.generate_key()
    path = key_path(run_id)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, [key])
    write_whole(_sealed_path(run_id), _blocks(Fernet(key), iter(rows)))


def _blocks(fernet: Fernet, rows: Iterator[Row]) -> Iterator[bytes]:
    while block := list(islice(rows, BLOCK_ROWS)):
        token = fernet.encrypt(json.dumps(block, ensure_ascii=False).encode())
        yield b"%d %d %s\n" % (block[0][0], block[-1][0], token)


def open_passwords(run_id: int, lines: Collection[int] | None = None) -> dict[int, str]:
    """Return the passwords on these lines, or on all. A line without a password is missing.

    Raise KeyMissing if they cannot be read.
    """
    found = each_password(run_id, lines)
    return {line: password for line, password in found if lines is None or line in lines}


def each_password(run_id: int, lines: Collection[int] | None = None) -> Iterator[Row]:
    """Yield line and password in the order of the file: all, or at least those on these lines. Raise KeyMissing."""
    try:
        fernet = Fernet(key_path(run_id).read_bytes())
        with _sealed_path(run_id).open("rb") as file:
            for block in file:
                first, last, token = block.split()
                if lines is None or any(int(first) <= line <= int(last) for line in lines):
                    yield from ((line, password) for line, password in json.loads(fernet.decrypt(token)))
    except (FileNotFoundError, ValueError, InvalidToken) as error:  # any other fault may pass: try again
        raise KeyMissing from error


def destroy_passwords(run_id: int) -> None:
    """Remove the key first, then what it opens."""
    key = key_path(run_id)
    if key.exists():
        key.unlink(missing_ok=True)
        sync_folder(key.parent)
    _sealed_path(run_id).unlink(missing_ok=True)


def runs_with_keys() -> list[int]:
    """Return the IDs of the runs whose passwords can be read."""
    return [int(path.name) for path in key_path(0).parent.glob("*") if path.name.isdigit()]


def fingerprint_key() -> str:
    """Return the key of the fingerprints, made on first use.

    It is not the secret key of the server, which is in backups: whoever has a backup must not be able to try passwords
    against fingerprints, which are much quicker to compute than the hashes of passwords.
    """
    return read_or_make_secret_key(key_path(0).with_name(FINGERPRINT_KEY))


def fingerprint_of(account_id: int, password: str, *, key: str) -> str:
    """Return a hash of the password that only the holder of the key can compare. Equal ones of two people differ.

    It is the same as `keyed_hash` of the engine (see KnownPasswords in steps/map/map.py).
    """
    inner = hashlib.sha256(f"{key}{account_id}\n{password}".encode()).hexdigest()
    return hashlib.sha256(f"{key}{inner}".encode()).hexdigest()


def key_path(run_id: int) -> Path:
    """Return the file of a run's key."""
    return Path(settings.SIS_SYNC_DATA_FOLDER) / KEY_FOLDER / str(run_id)


def _sealed_path(run_id: int) -> Path:
    return Path(settings.SIS_SYNC_DATA_FOLDER) / "runs" / str(run_id) / "passwords"
