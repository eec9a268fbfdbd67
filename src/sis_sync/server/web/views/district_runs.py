"""The district's runs for managers of schools: the list, and the school's part of one of them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from sis_sync.core.plan import ABSENT_ACTIONS, ROW_ACTIONS
from sis_sync.server.accounts.models import Account
from sis_sync.server.orgs.selectors import is_district_manager, managed_orgs
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.school_part import (
    access_run_of_district,
    own_schools,
    runs_of_district,
    school_part,
    sums_of_schools,
)
from sis_sync.server.runs.selectors import PlanRow, access_run, removed_words
from sis_sync.server.runs.sums import Slice
from sis_sync.server.web.access import PageRequest, for_managers
from sis_sync.server.web.decision.slices import rows_with_schools
from sis_sync.server.web.render import PAGE_SIZE, page, paged, see_other
from sis_sync.server.web.run_page import RowsView
from sis_sync.server.web.words import finding_word

SHOWN_ACTIONS = (*ABSENT_ACTIONS, *ROW_ACTIONS)


@dataclass(frozen=True)
class DistrictRun:
    """A run of the district, and what it does to the reader's schools."""

    run: Run
    sums: Slice | None


@for_managers
@require_GET
def district_runs(request: PageRequest) -> HttpResponse:
    """List the district's runs with the sums of the reader's schools. A manager of the district has History."""
    if is_district_manager(account=request.user):
        return see_other("web:history")
    shown = paged(request, runs_of_district(actor=request.user))
    return page(request, "web/bulk/district.html", {"runs": shown, "rows": with_sums(request.user, shown)})


def latest_district_runs(actor: Account) -> list[DistrictRun]:
    """Return the newest runs of the district for Home. A manager of the district has others there."""
    return with_sums(actor, runs_of_district(actor=actor)[:5])


def with_sums(actor: Account, runs: Iterable[Run]) -> list[DistrictRun]:
    """Return the runs with the sums of the schools that the actor manages."""
    schools = own_schools(actor=actor)
    return [DistrictRun(run, sums_of_schools(run, schools)) for run in runs]


@for_managers
@require_GET
def school_of_run(request: PageRequest, run_id: int) -> HttpResponse:
    """Show the part of a run that is about the reader's schools. A manager of the district has the whole run."""
    if is_district_manager(account=request.user):
        return see_other("web:run", access_run(actor=request.user, run_id=run_id).pk)
    run = access_run_of_district(actor=request.user, run_id=run_id)
    action, wanted = request.GET.get("action", ""), request.GET.get("page", "")
    action = action if action in SHOWN_ACTIONS else ""
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and 0 < len(wanted) < 8 else 1
    part = school_part(
        run=run, schools=own_schools(actor=request.user), action=action, page=number, page_size=PAGE_SIZE
    )
    named = rows_with_schools(part.rows.rows, run)
    rows = replace(part.rows, rows=tuple(without_message(row) for row in named))
    context = {
        "run": run,
        "orgs": managed_orgs(actor=request.user),
        "counts": [(name, part.counts[name]) for name in SHOWN_ACTIONS if part.counts.get(name)],
        "view": RowsView(action, rows, max(number, 1)),
        "query": urlencode({"action": action}) if action else "",
        "is_done": run.state == Run.State.APPLIED,
        "removed_words": removed_words(run),
    }
    return page(request, "web/runs/school_part.html", context)


def without_message(row: PlanRow) -> PlanRow:
    """Return the row with the titles of its findings: a message may name people of other schools."""
    return replace(row, message="; ".join(finding_word(code) for code in row.codes))
