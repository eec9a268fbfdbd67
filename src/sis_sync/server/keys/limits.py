"""What one API key may use: calls in a minute, uploads at a time, open files, bytes in a day, its first file's size."""

import io
from typing import IO

from django.conf import settings
from django.db.models import Q

from sis_sync.core.errors import FileRefused
from sis_sync.core.limits import FILE_LIMITS
from sis_sync.core.modes import MODES
from sis_sync.core.run_states import APPLIED, APPLYING, APPROVED, ENDED
from sis_sync.server.errors import TooManyCalls
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.windows import Hold, Slots, Window, whole_seconds

UPLOAD_RETRY_SECONDS = 10
OPEN_RETRY_SECONDS = 60
MB = 1 << 20
# The parts of a form around its file.
FORM_BYTES = 1 << 20

_calls = Window(seconds=60)
_bytes = Window(seconds=24 * 60 * 60)
_uploads = Slots()


def count_call(key: ApiKey) -> None:
    """Count a call. Raise TooManyCalls if the key has used its calls for this minute."""
    _refuse_calls(key, _calls.take(key.prefix, most=settings.SIS_SYNC_CALLS_A_MINUTE))


def require_call_left(key: ApiKey) -> None:
    """Raise TooManyCalls if the key has used its calls for this minute. Count nothing."""
    _refuse_calls(key, _calls.wait(key.prefix, most=settings.SIS_SYNC_CALLS_A_MINUTE))


def count_bytes(key: ApiKey, size: int, hold: Hold) -> None:
    """Count bytes that the key sent, or that its files have unpacked. Raise TooManyCalls if that is too much a day.

    The hold gives them back, unless the request is settled.
    """
    wait = _bytes.take(key.prefix, most=settings.SIS_SYNC_UPLOAD_MB_A_DAY * MB, amount=size)
    if wait:
        raise TooManyCalls(
            f"The key {key.prefix} may send {settings.SIS_SYNC_UPLOAD_MB_A_DAY:,} MB in 24 hours, and this is more.",
            fix="Send the file later, or upload it under Bulk Management > Users.",
            retry_after_seconds=whole_seconds(wait),
        )
    hold.counted(lambda: _bytes.give_back(key.prefix, size))


def begin_upload(key: ApiKey, hold: Hold) -> None:
    """Take a slot for an upload, which the hold frees. Raise TooManyCalls if the key has no slot left.

    Raise it too if the key has too many open files.
    """
    require_open_left(key)
    free = _uploads.take(key.prefix, most=settings.SIS_SYNC_UPLOADS_AT_ONCE)
    if free is None:
        raise TooManyCalls(
            f"The key {key.prefix} sends {settings.SIS_SYNC_UPLOADS_AT_ONCE} files at this moment, which is its limit.",
            fix="Send this one when another has arrived.",
            retry_after_seconds=UPLOAD_RETRY_SECONDS,
        )
    hold.keep(free)


def require_open_left(key: ApiKey) -> None:
    """Raise TooManyCalls if the key has too many open files or undos.

    Each costs work, because it is planned again when accounts change.
    """
    if key.runs.exclude(state__in=ENDED).count() >= settings.SIS_SYNC_OPEN_FILES:
        raise TooManyCalls(
            f"{settings.SIS_SYNC_OPEN_FILES:,} files and undos of the key {key.prefix} are being checked or wait for a "
            "person, and it may have no more at a time.",
            fix="Try again later, and let a manager decide those that wait under Bulk Management > Users.",
            retry_after_seconds=OPEN_RETRY_SECONDS,
        )


def hold_upload(key: ApiKey, hold: Hold, *, body_bytes: int) -> None:
    """Take a slot for an upload and count its body, unless both was done when its headers were judged."""
    if not hold.has_slot:
        begin_upload(key, hold)
        count_bytes(key, body_bytes, hold)


def file_limit_bytes(key: ApiKey) -> int:
    """Return the size that a file of this key may have. Until it is trusted, that is less than for everyone."""
    untrusted = (key.first_file_mb or settings.SIS_SYNC_FIRST_FILE_MB) * MB
    return FILE_LIMITS.file_bytes if is_trusted(key) else min(FILE_LIMITS.file_bytes, untrusted)


def is_trusted(key: ApiKey) -> bool:
    """Return True if a person approved a file of the key, or sent one of its org in the pages that was applied.

    Someone who takes a run of the key back trusts it less, not more.
    """
    approved = Q(api_key=key, decided_by__isnull=False, state__in=(APPROVED, APPLYING, APPLIED))
    sent = Q(uploaded_by__isnull=False, scope_org=key.org_id, state=APPLIED)
    return bool(key.school_system.runs.filter(approved | sent, mode__in=MODES).exists())


class MeteredFile(io.RawIOBase):
    """An upload of a key. It ends at the size that the key may send, and counts what a gzip file unpacks to."""

    def __init__(self, file: IO[bytes], *, key: ApiKey, sent_bytes: int, hold: Hold) -> None:
        self.file, self.key, self.hold = file, key, hold
        self.most_bytes = file_limit_bytes(key)
        self.read_bytes = 0
        self.uncounted = -sent_bytes  # the body was counted when it came in

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any writable buffer works
        """Fill the buffer with the next bytes and return their number. Raise FileRefused or TooManyCalls."""
        data = self.file.read(min(len(buffer), self.most_bytes - self.read_bytes + 1))
        buffer[: len(data)] = data
        self.read_bytes += len(data)
        self.uncounted += len(data)
        if self.read_bytes > self.most_bytes:
            raise too_large_for(self.key, self.most_bytes)
        if self.uncounted > 0:
            count_bytes(self.key, self.uncounted, self.hold)
            self.uncounted = 0
        return len(data)


def too_large_for(key: ApiKey, most_bytes: int) -> FileRefused:
    """Return the refusal of a file that is larger than the key may send."""
    if most_bytes >= FILE_LIMITS.file_bytes:
        return FileRefused("file.too_large", f"The file is larger than {most_bytes:,} bytes, which is the limit.")
    return FileRefused(
        "file.too_large",
        f"The file has more than {most_bytes // MB:,} MB unpacked. The key {key.prefix} may send none so large before "
        "a person has approved one of its runs.",
        fix="Ask a manager to send this file once under Bulk Management > Users, or to raise the limit of the key "
        "under Bulk Management > Sync Client.",
    )


def forget_all_calls() -> None:
    """Set all counts to 0."""
    _calls.clear()
    _bytes.clear()


def _refuse_calls(key: ApiKey, wait: float) -> None:
    if wait:
        raise TooManyCalls(
            f"The key {key.prefix} may make {settings.SIS_SYNC_CALLS_A_MINUTE:,} calls a minute, and made them.",
            fix="Make fewer calls, and wait as long as the header Retry-After says.",
            retry_after_seconds=whole_seconds(wait),
        )
