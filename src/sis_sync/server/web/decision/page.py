"""The parts of the page on which a manager decides, in the order of the page."""

from dataclasses import dataclass, replace
from typing import Any

from sis_sync.core.findings import KEEPING_CODES
from sis_sync.core.limits import DELETIONS_WITHOUT_TYPING
from sis_sync.core.plan import CHANGING_ACTIONS
from sis_sync.core.wording import counted
from sis_sync.server.runs.earlier import EarlierRun, earlier_runs
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.permission import leaving
from sis_sync.server.runs.plan_people import (
    RECEIVERS,
    Departure,
    PlanPerson,
    Renumbered,
    departures_of,
    people_of_plan,
    renumbered_people,
)
from sis_sync.server.runs.selectors import finding_groups
from sis_sync.server.runs.sums import Sums, stored_sums
from sis_sync.server.web.decision.chart import Chart, chart_of
from sis_sync.server.web.decision.holding import Holding, holdings, ids_in_messages
from sis_sync.server.web.decision.slices import (
    FieldRow,
    School,
    SliceRow,
    field_rows,
    rows_with_schools,
    school_rows,
    schools_of_plan,
    type_rows,
)
from sis_sync.server.web.decision.verdict import Tile, tiles, verdict

# The lists of people in the order of the page: people who leave first.
LISTS = ("delete", "disable", "restore", "create", "update", RECEIVERS, "failed")


@dataclass(frozen=True)
class PersonRow:
    """A person of a list. `school` is None if the org is unknown; `left` is None unless the person comes back."""

    person: PlanPerson
    school: School | None
    left: Departure | None


@dataclass(frozen=True)
class PeopleList:
    """The first people of one action, and the number of all."""

    action: str
    total: int
    rows: tuple[PersonRow, ...]

    @property
    def is_cut(self) -> bool:
        """True if the list has more people than are shown."""
        return self.total > len(self.rows)


@dataclass(frozen=True)
class Decision:
    """All parts of the page except the form. `held_more` and `schools_more` are folded.

    `kept` are the findings about values of the file that accounts do not take, and about edited names that the file
    replaces.
    """

    verdict: str
    tiles: tuple[Tile, ...]
    sums: Sums | None
    held: tuple[Holding, ...]
    held_more: tuple[Holding, ...]
    schools: tuple[SliceRow, ...]
    schools_more: tuple[SliceRow, ...]
    types: tuple[SliceRow, ...]
    fields: tuple[FieldRow, ...]
    chart: Chart | None
    earlier: tuple[EarlierRun, ...]
    lists: tuple[PeopleList, ...]
    renumbered: tuple[Renumbered, ...]
    kept: tuple[dict[str, Any], ...]
    leaving: int

    @property
    def is_typing_needed(self) -> bool:
        """True if the number of people who leave has to be typed."""
        return self.leaving > DELETIONS_WITHOUT_TYPING


def decision_of(run: Run) -> Decision:
    """Return the parts of the page for the plan of this run."""
    sums, earlier = stored_sums(run.sums), earlier_runs(run)
    people = people_of_plan(run, [action for action in LISTS if _total(run, action)])
    schools = schools_of_plan(run, _named_ids(run, sums, people))
    at_once, more = holdings(run, {external_id: school.name for external_id, school in schools.items()})
    first_schools, more_schools = school_rows(sums, schools) if sums else ((), ())
    return Decision(
        verdict=verdict(run, sums, earlier),
        tiles=tiles(run, earlier),
        sums=sums,
        held=at_once,
        held_more=more,
        schools=first_schools,
        schools_more=more_schools,
        types=type_rows(sums) if sums else (),
        fields=field_rows(sums, schools) if sums else (),
        chart=chart_of(run, earlier),
        earlier=earlier,
        lists=tuple(_list(run, action, found, schools) for action, found in people.items()),
        renumbered=renumbered_people(run, number=sums.renumbered) if sums and sums.renumbered else (),
        kept=kept_values(run),
        leaving=leaving(run),
    )


def kept_values(run: Run) -> tuple[dict[str, Any], ...]:
    """Return the findings about values that accounts keep, with examples, the most frequent first."""
    if run.findings.keys().isdisjoint(KEEPING_CODES):
        return ()
    groups = [group for group in finding_groups(run=run) if group["code"] in KEEPING_CODES]
    return tuple(sorted(groups, key=lambda group: (-group["count"], group["code"])))


def may_leave(decision: Decision) -> bool:
    """True if someone leaves by this plan: because of absence, or because a row disables an account."""
    fields = decision.sums.fields if decision.sums else ()
    return decision.leaving > 0 or any(each.name == "status" for each in fields)


def approve_words(run: Run) -> str:
    """Return what the button does: delete 74, create 9, set 12 passwords. Empty if approving changes no one."""
    order = ("delete", "disable", *CHANGING_ACTIONS)
    words = [f"{action} {run.counts[action]:,}" for action in order if run.counts.get(action)]
    if run.passwords_of_existing:
        words.append(f"set {counted(run.passwords_of_existing, 'password', 'passwords')}")
    return ", ".join(words)


def _named_ids(run: Run, sums: Sums | None, people: dict[str, tuple[PlanPerson, ...]]) -> set[str]:
    """Return the external IDs of all orgs that the page names."""
    named = ids_in_messages(run)
    if sums:
        named |= {each.name for each in sums.schools}
        named |= {each.most for each in sums.fields if each.name == "school_district_external_id"}
    return named | {each.values["school_district_external_id"] for found in people.values() for each in found}


def _list(run: Run, action: str, found: tuple[PlanPerson, ...], schools: dict[str, School]) -> PeopleList:
    left = departures_of(found) if action == "restore" else {}
    if action == "update":
        named = rows_with_schools([each.row for each in found], run)
        found = tuple(replace(each, row=row) for each, row in zip(found, named, strict=True))
    rows = [
        PersonRow(each, schools.get(each.values["school_district_external_id"]), left.get(each.account_id or 0))
        for each in found
    ]
    return PeopleList(action, _total(run, action), tuple(rows))


def _total(run: Run, action: str) -> int:
    """Return how many people the list has."""
    return run.passwords_of_existing if action == RECEIVERS else int(run.counts.get(action, 0))
