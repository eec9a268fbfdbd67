"""The guards that compare with earlier runs, on real runs: received, planned, approved, applied."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from kit.plans import TIMES, at_night
from kit.rosters import had_leavers, imported, needs_approval, roster, settled, student, sync
from pytest_django.fixtures import Settings

from sis_sync.core.plan import Counts
from sis_sync.server.accounts.models import Account
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.approval import approve_run
from sis_sync.server.runs.models import Run

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases_at_night]
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


def pupils(*numbers: int) -> list[dict[str, str]]:
    return [student(f"P{number}") for number in numbers]


def applied(org: Org, rows: list[dict[str, str]], *, now: datetime, actor: Account | None = None) -> Run:
    """A full run, approved by the actor if it waits for one."""
    run = sync(org, *rows, mode="full", now=now)
    if run.state != "applied":
        assert actor is not None
        typed = run.counts["delete"]
        approve_run(run=run, digest=run.plan_digest, by=actor, reason="checked", typed_deletions=typed, now=now)
        run = settled(run, now=now)
    assert run.state == "applied"
    return run


def had_newcomers(org: Org, count: int, now: datetime) -> None:
    """Record an applied run with so many newcomers, who are gone by now."""
    Run.objects.create(
        school_system=org.school_system,
        scope_org=org,
        mode="partial",
        state="applied",
        file_name="before.csv",
        file_size_bytes=0,
        counts=Counts(rows=count, create=count).as_dict(),
        settings_used={"on_absent": "nothing"},
        applied_at=now,
        decided_at=now,
    )


def held_by(run: Run) -> set[str]:
    return {hit["code"] for hit in run.guards}


def test_missing_tail_is_held(district: Org, north: Org, now: datetime) -> None:
    needs_approval(district, "full", required=False)
    whole = roster(*pupils(*range(1, 13)))
    applied(district, pupils(*range(1, 13)), now=now)
    before = Account.objects.filter(deleted_at=None).count()
    ends = [place + 1 for place, byte in enumerate(whole) if byte == ord("\n")]
    cuts = (*ends[1:-1], ends[3] + 9, ends[-1] - 1)
    for number, cut in enumerate(cuts if TIMES > 1 else (ends[1], ends[6], *cuts[-3:]), 1):
        run = sync(district, mode="full", content=whole[:cut], now=now + number * timedelta(minutes=1))
        assert run.state in ("held", "refused") or run.counts["delete"] == 0, whole[:cut]
    assert Account.objects.filter(deleted_at=None).count() == before


def test_last_person_is_the_tail(district: Org, north: Org, now: datetime) -> None:
    needs_approval(district, "full", required=False)
    had_leavers(district, now)
    applied(district, pupils(*range(1, 11)), now=now)
    assert held_by(sync(district, *pupils(*range(1, 10)), mode="full", now=now + DAY)) == {"guard.tail"}
    inner = sync(district, *pupils(*range(1, 9), 10), mode="full", now=now + DAY)
    assert (held_by(inner), inner.state) == (set(), "applied")


@pytest.mark.night
def test_unchanged_run_is_last_file(district: Org, north: Org, now: datetime) -> None:
    needs_approval(district, "full", required=False)
    had_leavers(district, now)
    applied(district, pupils(*range(1, 11)), now=now)
    applied(district, pupils(10, *range(1, 10)), now=now + DAY)
    assert held_by(sync(district, *pupils(10, *range(1, 9)), mode="full", now=now + 2 * DAY)) == {"guard.tail"}


@pytest.mark.parametrize(("rows", "holds"), [(9, False), (8, True)])
def test_shrunk_file_is_held(district: Org, north: Org, now: datetime, rows: int, holds: bool) -> None:
    needs_approval(district, "full", required=False)
    had_leavers(district, now)
    applied(district, [*pupils(*range(1, 9)), *pupils(1, 2)], now=now)
    run = sync(district, *pupils(*range(1, 9)), *pupils(1)[: rows - 8], mode="full", now=now + DAY)
    assert ("guard.shrunk" in held_by(run)) is holds


def test_first_deleting_list_is_held(district: Org, north: Org, alice: Account, now: datetime) -> None:
    needs_approval(district, "full", required=False)
    imported(district, *pupils(*range(1, 21)), now=now)
    assert applied(district, pupils(*range(1, 21)), actor=alice, now=now).counts["unchanged"] == 20
    first = sync(district, *pupils(*range(2, 21)), mode="full", now=now + DAY)
    assert held_by(first) == {"guard.first_sync"}
    applied(district, pupils(*range(2, 21)), actor=alice, now=now + DAY)
    assert held_by(sync(district, *pupils(*range(3, 21)), mode="full", now=now + 2 * DAY)) == set()


@pytest.mark.both_databases_at_night
def test_deletions_add_up_7_days(district: Org, north: Org, alice: Account, now: datetime) -> None:
    needs_approval(district, "full", required=False)
    had_leavers(district, now)
    applied(district, pupils(*range(1, 41)), now=now, actor=alice)
    applied(district, pupils(*range(4, 41)), now=now + DAY)
    third = sync(district, *pupils(*range(8, 41)), mode="full", now=now + 2 * DAY)
    assert held_by(third) == {"guard.drip"}
    back = sync(district, *pupils(1, 2, 3), now=now + 2 * DAY)
    assert back.counts["restore"] == 3
    fourth = sync(district, *pupils(1, 2, 3, *range(8, 41)), mode="full", now=now + 3 * DAY)
    assert (held_by(fourth), fourth.state) == (set(), "applied")


@pytest.mark.night
def test_deletions_expire_after_7_days(district: Org, north: Org, now: datetime) -> None:
    needs_approval(district, "full", required=False)
    had_leavers(district, now)
    applied(district, pupils(*range(1, 41)), now=now)
    applied(district, pupils(*range(4, 41)), now=now + DAY)
    late = sync(district, *pupils(*range(7, 41)), mode="full", now=now + 9 * DAY)
    assert (held_by(late), late.state) == (set(), "applied")


@pytest.mark.parametrize(
    ("nights", "newcomers", "holds"),
    [
        (10, 26, True),
        (10, 25, False),
        *at_night((9, 26, False), (10, 19, False)),
    ],
)
def test_unusual_number_of_newcomers_is_held(
    district: Org, north: Org, now: datetime, nights: int, newcomers: int, holds: bool
) -> None:
    """The most newcomers of one night are 5. The first nights are outside the window of the sums."""
    needs_approval(district, "partial", required=False)
    imported(district, *pupils(*range(1, 201)), now=now)
    Run.objects.all().delete()
    for night in range(nights):
        had_newcomers(district, 5 if night == 0 else 1, now + night * DAY)
    run = sync(district, *pupils(*range(9000, 9000 + newcomers)), now=now + 60 * DAY)
    assert held_by(run) == ({"guard.unusual"} if holds else set())


@pytest.mark.night
def test_leavers_by_status_are_compared_too(district: Org, north: Org, now: datetime) -> None:
    needs_approval(district, "partial", required=False)
    everyone = pupils(*range(1, 501))
    imported(district, *everyone, now=now)
    for night in range(10):
        gone = [{**row, "status": "Disabled"} for row in everyone[night * 4 : night * 4 + 4]]
        run = sync(district, *gone, now=now + night * DAY)
        assert (run.state, run.settings_used["leaving"]) == ("applied", 4)
    gone = [{**row, "status": "Disabled"} for row in everyone[100:121]]
    assert "guard.unusual" in held_by(sync(district, *gone, now=now + 60 * DAY))
    assert "guard.unusual" not in held_by(sync(district, *gone[:20], now=now + 60 * DAY))
