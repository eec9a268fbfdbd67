"""What a manager of a school sees of the district's runs: the part about that school's people, and nothing else."""

from datetime import datetime

import pytest
from django.test import Client
from kit.plans import at_night
from kit.rosters import needs_approval, student, sync

from sis_sync.server.accounts.models import Account
from sis_sync.server.orgs.models import Org
from sis_sync.server.orgs.services import give_right
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.school_part import runs_of_district, school_part

pytestmark = pytest.mark.django_db
HERE, THERE = {"school_district_external_id": "N1"}, {"school_district_external_id": "S1"}


@pytest.fixture
def runs(district: Org, north: Org, south: Org, alice: Account, now: datetime) -> tuple[Run, Run]:
    """The run that made two pupils at each school, and one that waits.

    In it, one of each school changes schools, one of each gets another name, and rows of both fail.
    """
    first = sync(
        district,
        student("N-1", first_name="Nora", **HERE),
        student("N-2", first_name="Nils", **HERE),
        student("S-1", first_name="Sara", **THERE),
        student("S-2", first_name="Sven", **THERE),
        now=now,
    )
    needs_approval(district, "partial")
    second = sync(
        district,
        student("N-1", first_name="Nora", **THERE),
        student("N-2", first_name="Nelly", **HERE),
        student("S-1", first_name="Sara", **HERE),
        student("S-2", first_name="Svea", **THERE),
        student("N-3", email=alice.email, **HERE),
        student("S-3", email="no address of south", **THERE),
        now=now,
    )
    return first, second


@pytest.mark.parametrize("state", ["waiting", *at_night("applied")])
def test_failed_row_for_someone_of_another_school_is_not_shown(
    as_bob: Client, runs: tuple[Run, Run], district: Org, now: datetime, state: str
) -> None:
    arrives = student("S-1", first_name="Sarah", grade="none", **HERE)
    run = sync(district, arrives, student("N-4", grade="none", **HERE), now=now)
    Run.objects.filter(pk=run.pk).update(state=state)
    text = as_bob.get(f"/runs/{run.pk}/school").content.decode()
    assert "N-4" in text
    for hidden in ("Sara", "S-1"):
        assert hidden not in text


def test_part_of_the_school(
    as_bob: Client,
    runs: tuple[Run, Run],
    south: Org,
    alice: Account,
    bob: Account,
    charlie: Account,
    dana: Account,
    now: datetime,
) -> None:
    first, run = runs
    opened = as_bob.get(f"/runs/{run.pk}", follow=True)
    assert opened.redirect_chain == [(f"/runs/{run.pk}/school", 303)]
    text = opened.content.decode()
    assert "North School in run" in text
    for shown in ("Nora", "Nelly", "N-3"):
        assert shown in text
    # Sara is of South School until the run is applied. The message about N-3 would name the account with its address.
    for hidden in ("Sara", "S-1", "Svea", "S-2", "S-3", "no address of south", "E-1", run.file_name, "Approve"):
        assert hidden not in text, hidden

    whole = school_part(run=run, schools=["N1"])
    assert (whole.counts, whole.rows.total) == ({"update": 2, "failed": 1}, 3)
    second = school_part(run=run, schools=["N1"], action="update", page=2, page_size=1)
    assert ([row.custom_id for row in second.rows.rows], second.rows.total) == (["N-2"], 2)
    assert school_part(run=run, schools=[]).counts == {}
    assert school_part(run=run, schools=["N1", "S1"]).counts == {"update": 4, "failed": 2}

    listed = as_bob.get("/bulk/district").content.decode()
    assert f"/runs/{first.pk}/school" in listed
    assert "2 new" in listed
    assert "2 changed, 1 from other schools" in listed
    assert f"/runs/{run.pk}/school" in as_bob.get("/").content.decode()
    assert 'href="/bulk/district"' in as_bob.get("/bulk").content.decode()

    for page in ("approve", "reject", "cancel", "results.csv", "failed.csv", "progress"):
        assert as_bob.get(f"/runs/{run.pk}/{page}").status_code == 404, page
    assert as_bob.post(f"/runs/{run.pk}/approve", {"digest": run.plan_digest}).status_code == 404

    # Once the run is applied, Sara is of North School. A purge removes the plan.
    Run.objects.filter(pk=run.pk).update(state=Run.State.APPLIED)
    text = as_bob.get(f"/runs/{run.pk}/school").content.decode()
    assert "Sara" in text
    assert "Svea" not in text
    Run.objects.filter(pk=run.pk).update(report_removed_at=now)
    removed = as_bob.get(f"/runs/{run.pk}/school").content.decode()
    assert "The report of this run was removed" in removed
    assert "Sara" not in removed
    Run.objects.filter(pk=run.pk).update(report_removed_at=None)

    assert [list(runs_of_district(actor=person)) for person in (alice, charlie, dana)] == [[], [], []]
    Run.objects.filter(pk=first.pk).update(scope_org=south)
    assert list(runs_of_district(actor=bob)) == [run]
    give_right(account=bob, org=south, actor=None, now=now)  # a run of another school is not the district's
    assert list(runs_of_district(actor=bob)) == [run]
    assert "Svea" in as_bob.get(f"/runs/{run.pk}/school").content.decode()
