"""Schedules, settling, retries and bad answers: the clock is passed in."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sis_sync.client.eligible_files import has_settled
from sis_sync.client.responses import Answer, TryLater, error_of
from sis_sync.client.retry import Clock, until_answered
from sis_sync.client.schedule import is_due, parse_schedule
from sis_sync.client.state_folder import open_journal
from sis_sync.client.watched_folders import FoundFile
from sis_sync.core.errors import ConfigurationError, SisSyncError

NOW = datetime(2026, 11, 23, 6, 45, tzinfo=UTC)


def local(hour: int, minute: int, *, day: int = 23) -> datetime:
    return datetime(2026, 11, day, hour, minute).astimezone()


@pytest.mark.parametrize(
    ("served_at", "now", "due"),
    [
        (local(6, 0), local(6, 29), False),
        (local(6, 0), local(6, 30), True),
        (local(6, 31), local(18, 29), False),
        (local(6, 31), local(18, 30), True),
        (local(18, 31, day=22), local(6, 0), False),
        (local(12, 0, day=20), local(6, 0), True),
    ],
)
def test_schedule_due_once_per_time(served_at: datetime, now: datetime, due: bool) -> None:
    assert is_due(parse_schedule("18:30, 6:30"), served_at=served_at, now=now) is due


def test_on_arrival_always_due() -> None:
    assert is_due(parse_schedule("On arrival"), served_at=NOW, now=NOW)


def test_file_settles_between_two_looks(tmp_path: Path) -> None:
    found, grown = FoundFile(tmp_path / "a", 5, 1), FoundFile(tmp_path / "a", 6, 2)

    def look(each: FoundFile, seconds: int) -> bool:
        with open_journal(tmp_path / "state") as journal:  # as if each look were a process of its own
            return has_settled(journal, each, settle_seconds=10, now=NOW + timedelta(seconds=seconds))

    assert [look(found, 0), look(found, 9), look(found, 10)] == [False, False, True]
    assert [look(grown, 11), look(grown, 20), look(grown, 21)] == [False, False, True]
    assert [look(grown, -3600), look(grown, -3595), look(grown, -3590)] == [False, False, True]


def test_damaged_journal_reported(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_bytes(b"not a database, certainly not one" * 100)
    with pytest.raises(ConfigurationError, match="journal"), open_journal(tmp_path):
        pass


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("Mon, 23 Nov 2026 06:46:00 GMT", 60.0),
        ("soon", None),
        ("", None),
        ("-5", None),
        ("9" * 400, 999999999.0),
    ],
)
def test_retry_after_seconds_or_date(header: str, seconds: float | None) -> None:
    error = error_of(Answer(503, {"retry-after": header}, b""), now=NOW)
    assert isinstance(error, TryLater)
    assert error.after_seconds == seconds


@pytest.mark.parametrize(("headers", "is_later"), [({"retry-after": "5"}, True), ({}, False)])
def test_server_error_is_tried_again_if_the_server_says_so(headers: dict[str, str], is_later: bool) -> None:
    assert isinstance(error_of(Answer(500, headers, b""), now=NOW), TryLater) == is_later


@pytest.mark.parametrize(
    ("status", "body", "exit_code"),
    [
        (401, b'{"title": "API key refused", "detail": "x"}', 4),
        (403, b'{"title": "Sync Client API is disabled", "detail": "x"}', 4),
        (403, b"<html>", 4),
        (404, b'{"title": "Not found"}', 2),
        (409, b'{"title": "Run can no longer be decided"}', 9),
        (413, b'{"title": "x"}', 6),
        (422, b'{"title": "File refused", "code": "file.empty", "line": 3}', 6),
        (422, b'{"title": "Configuration error"}', 3),
        (422, b'{"type": "urn:sis-sync:problem:file-damaged", "title": "File damaged on the way"}', 5),
        (500, b'{"title": "Unexpected error"}', 5),
        (301, b"", 3),
        (418, b"[]", 5),
        (400, b"[" * 100_000, 5),
    ],
)
def test_errors_of_bad_answers(status: int, body: bytes, exit_code: int) -> None:
    error = error_of(Answer(status, {}, body), now=NOW)
    assert isinstance(error, SisSyncError)
    assert error.exit_code == exit_code


def test_pauses_grow_and_end() -> None:
    now, pauses, told = [NOW], list[float](), list[str]()

    def pause(seconds: float) -> bool:
        pauses.append(seconds)
        now[0] += timedelta(seconds=seconds)
        return False

    def refuse() -> None:
        raise TryLater("not now", after_seconds=90.0 if len(pauses) == 3 else None)

    clock = Clock(now=lambda: now[0], pause=pause)
    with pytest.raises(TryLater):
        until_answered(refuse, max_minutes=30, clock=clock, file_name="a.csv", announce=told.append)
    assert timedelta(minutes=20) < now[0] - NOW <= timedelta(minutes=30)
    assert pauses[3] == 90.0
    assert told[3] == "not now a.csv is kept; the next try is in 90 seconds."
    assert len(told) == len(pauses)
    assert all(0.5 * min(2**n, 300) <= seconds <= 300 for n, seconds in enumerate(pauses) if n != 3)
