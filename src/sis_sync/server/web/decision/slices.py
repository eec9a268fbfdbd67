"""What a plan does by school, user type and field, with the names of the schools."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sis_sync.core.fields import STUDENT
from sis_sync.server.accounts.validation import ORG_FIELD
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.selectors import PlanRow
from sis_sync.server.runs.sums import FieldSum, Slice, Sums
from sis_sync.server.web.words import FIELD_WORDS

ROWS_AT_ONCE = 6  # schools; the others are folded
BAR_WIDTH = 100


@dataclass(frozen=True)
class School:
    """An org that a plan names, as it is called now. It has had its external ID since then, if that is known."""

    pk: int
    name: str
    since: datetime | None

    def had_its_id(self, at: datetime) -> bool:
        """Return True unless the ID was no one's or another org's at that time."""
        return self.since is None or self.since <= at


@dataclass(frozen=True)
class SliceRow:
    """A row of the table: a school or user type with its sums. `link_to` is the ID of the org, None for a type.

    `parts` are the coloured parts of its bar: the style of each, where it begins, and how long it is.
    """

    name: str
    link_to: int | None
    sums: Slice
    parts: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class FieldRow:
    """A field with the number of its changes, and the most frequent of them in words."""

    word: str
    number: int
    note: str


def schools_named(school_system_id: int, external_ids: Iterable[str]) -> dict[str, School]:
    """Return the orgs that these external IDs name now."""
    orgs = Org.objects.filter(school_system=school_system_id, external_id__in=list(external_ids))
    found = orgs.values_list("external_id", "pk", "name", "external_id_since")
    return {str(external_id): School(pk, name, since) for external_id, pk, name, since in found}


def schools_of_plan(run: Run, external_ids: Iterable[str]) -> dict[str, School]:
    """Return the orgs that these external IDs named when the run was planned, and still name."""
    at = run.planned_at or run.received_at
    return {key: each for key, each in schools_named(run.school_system_id, external_ids).items() if each.had_its_id(at)}


def schools_shown(
    school_system_id: int, values: Iterable[tuple[str, object, object]]
) -> Callable[[tuple[str, Any, Any], datetime], tuple[str, Any, Any]]:
    """Return a function that shows the orgs of (field, old, new) by name, each followed by its external ID.

    `values` are all that it will be asked about, each with the time of the change. An external ID that no org has now,
    or that another org may have had at that time, is shown as it is.
    """
    ids = {str(value) for name, *both in values if name == ORG_FIELD for value in both if value}
    schools = schools_named(school_system_id, ids) if ids else {}

    def named(value: Any, at: datetime) -> Any:
        school = schools.get(value)
        return f"{school.name} ({value})" if school and school.had_its_id(at) else value

    def shown(change: tuple[str, Any, Any], at: datetime) -> tuple[str, Any, Any]:
        name, old, new = change
        return (name, named(old, at), named(new, at)) if name == ORG_FIELD else change

    return shown


def rows_with_schools(rows: Sequence[PlanRow], run: Run) -> tuple[PlanRow, ...]:
    """Return the rows with the orgs as people know them: by name, each followed by its external ID."""
    at = run.planned_at or run.received_at
    shown = schools_shown(run.school_system_id, (change for row in rows for change in row.changes))
    return tuple(replace(row, changes=tuple(shown(change, at) for change in row.changes)) for row in rows)


def school_rows(sums: Sums, schools: Mapping[str, School]) -> tuple[tuple[SliceRow, ...], tuple[SliceRow, ...]]:
    """Return the schools in which something changes, most leavers first: those shown at once, and the others."""
    ordered = sorted(sums.schools, key=lambda each: (-each.leave, -(each.new + each.back + each.change), each.name))
    rows = tuple(_row(each, schools.get(each.name)) for each in ordered)
    return rows[:ROWS_AT_ONCE], rows[ROWS_AT_ONCE:]


def type_rows(sums: Sums) -> tuple[SliceRow, ...]:
    """Return the user types in which something changes, students first."""
    return tuple(_row(each, None) for each in sorted(sums.types, key=lambda each: (each.name != STUDENT, each.name)))


def field_rows(sums: Sums, schools: Mapping[str, School]) -> tuple[FieldRow, ...]:
    """Return the fields that updates change, most changes first."""
    return tuple(FieldRow(FIELD_WORDS[each.name], each.number, _note(each, schools)) for each in sums.fields)


def _row(sums: Slice, school: School | None) -> SliceRow:
    name = school.name if school else sums.name or "no school"
    return SliceRow(name, school.pk if school else None, sums, tuple(_parts(sums)))


def _parts(sums: Slice) -> Iterable[tuple[str, float, float]]:
    """Yield the parts of a bar: those who leave, change and come. Its length is everyone who was here or comes."""
    whole = max(sums.here + sums.new + sums.back + sums.arrive, sums.leave + sums.change + sums.new + sums.back)
    at = 0.0
    for style, number in (("leave", sums.leave), ("change", sums.change), ("new", sums.new + sums.back)):
        if number:
            length = max(1.0, round(BAR_WIDTH * number / whole, 1))
            yield style, at, length
            at = round(at + length, 1)


def _note(each: FieldSum, schools: Mapping[str, School]) -> str:
    if not each.of_most:
        return ""
    if each.name == "school_district_external_id":
        school = schools.get(each.most)
        return f"{each.of_most:,} to {school.name if school else each.most}"
    return f"{each.of_most:,} to {each.most}"
