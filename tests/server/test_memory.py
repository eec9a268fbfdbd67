"""Planning with the memory of a school system: the same plan, made of what was touched since."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from kit.rosters import imported, needs_approval, send, settled, student, teacher
from pytest_django.fixtures import Settings

from sis_sync.core.limits import RESTORABLE_FOR
from sis_sync.engine.duckdb import Session
from sis_sync.server.accounts.feed import Changes
from sis_sync.server.accounts.feed_triggers import make_triggers
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.services import delete_accounts
from sis_sync.server.orgs.models import Org
from sis_sync.server.orgs.services import give_right, update_org
from sis_sync.server.runs import memory, planning
from sis_sync.server.runs.files import run_session, work_folder
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.purge.purge import purge_now
from sis_sync.server.runs.settings import settings_of
from sis_sync.steps.memory.memory import Memory
from sis_sync.steps.memory.pairs import Known

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
PEOPLE = [student(f"S{number}") for number in range(30)]
Row = dict[str, str]


@pytest.fixture(autouse=True)
def small(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a small school system have a memory."""
    settings.SIS_SYNC_DATA_FOLDER = tmp_path
    monkeypatch.setattr(memory, "LEAST_ACCOUNTS", 1)
    monkeypatch.setattr(memory, "MOST_TOUCHED", 0)


class Night:
    """Plans a file with the memory and without, and checks that both are the same.

    `pairs` is the number of lines that cancelled out, `touched` the number of accounts that were read, None for all.
    """

    def __init__(self, district: Org, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
        self.district, self.now, self.patch = district, now, monkeypatch
        self.known: list[Known] = []
        self.found: list[int] = []
        self.pairs = 0
        self.touched: int | None = None
        learn = Memory.learn

        def noted(remembered: Memory, *given: object) -> None:
            self.found.append(remembered._session.value("SELECT people FROM pair_totals"))
            learn(remembered, *given)  # type: ignore[arg-type]

        def noted_known(*given: object, **named: object) -> Known:
            self.known.append(memory.known_now(*given, **named))  # type: ignore[arg-type]
            return self.known[-1]

        monkeypatch.setattr(Memory, "learn", noted)
        monkeypatch.setattr("sis_sync.server.runs.snapshot.known_now", noted_known)

    def assert_read(self, *, touched: int, pairs: int | None = None) -> None:
        """Fail unless as many accounts were read and as many lines cancelled out.

        On PostgreSQL more may be read, because the feed names more while a transaction is open anywhere on the server.
        """
        if connection.vendor == "postgresql":
            assert self.touched is None or self.touched >= touched
            return
        assert self.touched == touched
        assert pairs in (None, self.pairs)

    def plan(self, *rows: Row, is_applied: bool = True, mapping_lines: str = "") -> Run:
        self.now += timedelta(days=1)
        run = send(self.district, *rows, mode="full", mapping_lines=mapping_lines, now=self.now)
        fast = planning.make_stored_plan(run, settings_of(run), now=self.now)
        self.pairs, touched = self.found[-1], self.known[-1].touched
        self.touched = None if touched is None else len(touched)
        with self.patch.context() as patch:
            patch.setattr(planning, "memory_of", lambda *_, **__: None)
            full = planning.make_stored_plan(run, settings_of(run), now=self.now)
        assert fast == full
        if not is_applied:
            run.counts = fast.counts.as_dict()
            return run
        return settled(run, now=self.now)


@pytest.fixture
def night(
    district: Org, north: Org, alice: Account, charlie: Account, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> Night:
    """The night after everyone was imported, and one in which the memory learned them. Charlie is of elsewhere."""
    imported(district, *PEOPLE, mode="full", now=now)
    made = Night(district, now, monkeypatch)
    made.plan(*PEOPLE)
    return made


@pytest.mark.night
def test_only_what_was_touched_is_read(night: Night) -> None:
    night.plan(*PEOPLE)
    night.assert_read(touched=0, pairs=len(PEOPLE))
    (path,) = memory.memory_folder().iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_edits_by_any_path_are_seen(night: Night) -> None:
    Account.objects.filter(custom_id="S1").update(last_name="Byhand")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_account SET email = 's3@elsewhere.example' WHERE custom_id = 'S3'")
    delete_accounts(accounts=[Account.objects.get(custom_id="S5")], actor=None, now=night.now)
    rows = [*PEOPLE[:9], {**PEOPLE[9], "email": PEOPLE[8]["email"].upper()}, *PEOPLE[10:]]
    run = night.plan(*rows)
    night.assert_read(touched=3, pairs=len(PEOPLE) - 5)  # and the two who share an address
    assert (run.counts["failed"], run.counts["update"], run.counts["ignored"] + run.counts["restore"]) == (2, 2, 1)


@pytest.mark.night
def test_swapped_addresses_and_newcomers(night: Night) -> None:
    rows = [dict(row) for row in PEOPLE]
    rows[4]["email"], rows[7]["email"] = rows[7]["email"], rows[4]["email"]
    rows[9]["email"] = rows[8]["email"].upper()
    run = night.plan(*rows[:-1], student("0S20"), teacher("T1"), student("S2", org="S1"))
    assert run.counts["failed"]
    assert connection.vendor == "postgresql" or 0 < night.pairs < len(PEOPLE) - 5


@pytest.mark.night
def test_made_passwords_are_seen(night: Night, district: Org) -> None:
    needs_approval(district, "full", sets_passwords="on")
    for word in ("Grey-harbour", "Grey-harbour", "Red-harbour"):
        run = night.plan(*PEOPLE, mapping_lines=f"mapper.m.template.password={word}-{{custom_id}}")
        assert (run.passwords_of_existing, night.pairs) == (len(PEOPLE), 0)


@pytest.mark.night
def test_rights_and_orgs_are_seen(night: Night, district: Org, north: Org) -> None:
    give_right(account=Account.objects.get(custom_id="S6"), org=north, actor=None, now=night.now)
    night.plan(*PEOPLE)
    night.assert_read(touched=1)
    update_org(org=north, name=north.name, external_id="N2", actor=None, now=night.now)
    night.plan(*PEOPLE)
    assert night.pairs == 0


@pytest.mark.night
@pytest.mark.parametrize("content", [b"", b"no database", None])
def test_damaged_memory_changes_nothing(night: Night, content: bytes | None) -> None:
    (path,) = memory.memory_folder().iterdir()
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    night.plan(*PEOPLE)
    assert night.touched is None


@pytest.mark.night
def test_lost_triggers_make_all_accounts_read(night: Night) -> None:
    on = " ON accounts_account" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER feed_account_update{on}")
    try:
        Account.objects.filter(custom_id="S1").update(last_name="Unseen")
        run = night.plan(*PEOPLE)
        assert (night.touched, run.counts["update"]) == (None, 1)
    finally:
        make_triggers()
    Account.objects.filter(custom_id="S1").update(last_name="Again")
    run = night.plan(*PEOPLE)
    assert (night.touched, run.counts["update"]) == (None, 1)
    Account.objects.filter(custom_id="S2").update(last_name="Seen")
    run = night.plan(*PEOPLE)
    assert run.counts["update"] == 2
    night.assert_read(touched=1)


@pytest.mark.night
def test_account_that_is_removed_without_a_trace(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of accounts does not agree then, and the memory is not believed."""
    nobody = Changes()
    monkeypatch.setattr(memory, "changes_since", lambda *_, **__: nobody)
    Account.objects.filter(custom_id="S1").delete()
    run = night.plan(*PEOPLE)
    assert run.counts["create"] == 1


@pytest.mark.night
def test_time_makes_deleted_accounts_come_and_go(night: Night) -> None:
    person = Account.objects.get(custom_id="S1")
    deleted_at = night.now - RESTORABLE_FOR + timedelta(days=2, hours=1)
    Account.objects.filter(pk=person.pk).update(deleted_at=deleted_at, is_held_by_hand=True)
    assert night.plan(*PEOPLE).counts["ignored"] == 1
    night.assert_read(touched=1)
    assert night.plan(*PEOPLE).counts["ignored"] == 1
    day = night.now
    run = night.plan(*PEOPLE, is_applied=False)
    assert run.counts["create"] == 1
    night.assert_read(touched=1)
    night.now = day - timedelta(days=1)  # the clock is set back
    assert night.plan(*PEOPLE).counts["ignored"] == 1
    assert night.touched is None


@pytest.mark.night
def test_run_of_a_school_has_no_memory(night: Night, north: Org) -> None:
    run = send(north, *PEOPLE, mode="full", now=night.now)
    with work_folder(run.pk) as folder, run_session(folder) as session:
        assert memory.memory_of(run, session, now=night.now) is None


@pytest.mark.night
def test_purge_removes_memories_of_earlier_months(night: Night) -> None:
    purge_now(is_trial=True)
    assert list(memory.memory_folder().iterdir())
    purge_now(is_trial=False)
    assert not list(memory.memory_folder().iterdir())


@pytest.mark.parametrize(
    ("accounts", "file_bytes", "expected"),
    [(2, 2_000_000, 1), (1, 2_000_000, 2), (2, 2_000_001, 2)],
    ids=["small", "many accounts", "large file"],
)
@pytest.mark.usefixtures("alice")
def test_one_thread_plans_what_is_small(
    district: Org,
    now: datetime,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    accounts: int,
    file_bytes: int,
    expected: int,
) -> None:
    settings.SIS_SYNC_THREADS = 2
    run = send(district, *PEOPLE, mode="partial", now=now)
    run.file_size_bytes = file_bytes
    monkeypatch.setattr(memory, "LEAST_ACCOUNTS", accounts)
    found: list[int] = []

    @contextmanager
    def noted(folder: Path, **given: bool) -> Iterator[Session]:
        with run_session(folder, **given) as session:
            found.append(session.value("SELECT current_setting('threads')"))
            yield session

    monkeypatch.setattr(planning, "run_session", noted)
    planning.make_stored_plan(run, settings_of(run), now=now)
    assert found == [expected]
