"""The part of a district's run that is about the people of a school, for the managers of that school.

They see what happened, or would happen, to their own people: nothing about others, and no file, guard or message, which
may name people of other schools. They decide nothing here.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.db.models import QuerySet

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.engine.sql import sql_text
from sis_sync.server.accounts.models import Account
from sis_sync.server.errors import PlanDamaged
from sis_sync.server.orgs.models import Org
from sis_sync.server.orgs.selectors import is_district_manager, managed_orgs, one_or_404
from sis_sync.server.runs.files import reading_session, run_files, unless_gone
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.selectors import PlanPage, row_of_plan
from sis_sync.server.runs.sums import Slice, stored_sums


@dataclass(frozen=True)
class SchoolPart:
    """Some schools' part of a run: the number of rows with each action, and a page of the rows."""

    counts: dict[str, int]
    rows: PlanPage


def runs_of_district(*, actor: Account) -> QuerySet[Run]:
    """Return the planned runs of the whole district, newest first, for someone who manages only schools of it."""
    runs = Run.objects.filter(
        school_system_id=actor.school_system_id, scope_org__kind=Org.Kind.DISTRICT, planned_at__isnull=False
    )
    manages_schools = managed_orgs(actor=actor).exists() and not is_district_manager(account=actor)
    return runs.order_by("-received_at", "-pk") if manages_schools else runs.none()


def access_run_of_district(*, actor: Account, run_id: int | str) -> Run:
    """Return the run if the actor sees a part of it. Raise Http404 otherwise, whether the run exists or not."""
    return one_or_404(runs_of_district(actor=actor), run_id)


def own_schools(*, actor: Account) -> list[str]:
    """Return the external IDs of the schools that the actor manages."""
    named = managed_orgs(actor=actor).filter(external_id__isnull=False)
    return [str(external_id) for external_id in named.values_list("external_id", flat=True)]


def sums_of_schools(run: Run, schools: Sequence[str]) -> Slice | None:
    """Return what the run does to the people of these schools. None if its plan is of a version that stored no sums."""
    if not run.counts:  # the file was refused
        return Slice(name="")
    sums = stored_sums(run.sums)
    if sums is None:
        return None
    theirs = [each for each in sums.schools if each.name in schools]
    return Slice(
        name="",
        leave=sum(each.leave for each in theirs),
        new=sum(each.new for each in theirs),
        back=sum(each.back for each in theirs),
        change=sum(each.change for each in theirs),
        arrive=sum(each.arrive for each in theirs),
    )


def school_part(
    *, run: Run, schools: Sequence[str], action: str = "", page: int = 1, page_size: int = 50
) -> SchoolPart:
    """Return the part of these schools: all rows that change someone or failed, or those with one action."""
    plan, part = run_files(run).plan, SchoolPart({}, PlanPage((), 0))
    if schools:
        with suppress(PlanDamaged), unless_gone(plan):
            part = _read_part(plan, run, schools, action, page, page_size)
    return part


def _read_part(plan: Path, run: Run, schools: Sequence[str], action: str, page: int, page_size: int) -> SchoolPart:
    fields = ", ".join(f"{name}, old_{name}" for name in FIELD_NAMES)
    theirs = sql_text(__package__, "school_part")
    values = {"plan": str(plan), "schools": list(schools), "is_applied": run.state == Run.State.APPLIED}
    shown = f"SELECT line, action, custom_id, fields, codes, message, {fields} FROM ({theirs})"
    with reading_session() as session:
        counts = dict(session.rows(f"SELECT action, count(*) FROM ({theirs}) GROUP BY action", **values))
        rows = session.rows(
            f"{shown} WHERE :action IN ('', action) ORDER BY line NULLS LAST, custom_id LIMIT {int(page_size)} "
            f"OFFSET {(max(page, 1) - 1) * int(page_size)}",
            action=action,
            **values,
        )
    total = counts.get(action, 0) if action else sum(counts.values())
    return SchoolPart(counts, PlanPage(tuple(row_of_plan(row) for row in rows), total))
