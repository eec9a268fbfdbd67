"""The sums of a plan by school, user type and field. They are stored with the plan, so that no page counts its rows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sis_sync.core.modes import Mode, OnAbsent
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import sql_text

# A value that fewer people get may identify one of them, and sums are kept longer than the plan.
LEAST_NAMED = 5


@dataclass(frozen=True)
class Slice:
    """What a plan does to the people of one school or user type. `name` is an external ID or a user type.

    `here` is the number of people whom the run could delete, at planning. It includes those who `change` and `leave`.
    `away` and `arrive` count those of `change` who go to, or come from, another school or type.
    """

    name: str
    here: int = 0
    leave: int = 0
    new: int = 0
    back: int = 0
    change: int = 0
    away: int = 0
    arrive: int = 0

    @property
    def after(self) -> int:
        """The number of people once the run is applied."""
        return self.here - self.leave - self.away + self.new + self.back + self.arrive

    @property
    def has_changes(self) -> bool:
        """True if the plan changes someone of this slice, or someone comes."""
        return any((self.leave, self.new, self.back, self.change, self.arrive))


@dataclass(frozen=True)
class FieldSum:
    """How many updates change a field. `of_most` of them give it the value `most` (an address: that domain)."""

    name: str
    number: int
    most: str = ""
    of_most: int = 0


@dataclass(frozen=True)
class Sums:
    """The sums of a plan. `schools` and `types` list only those in which something changes.

    `base` is the number of people whom the run could delete. `renumbered` of the leavers come back as new rows.
    """

    base: int = 0
    schools: tuple[Slice, ...] = ()
    types: tuple[Slice, ...] = ()
    fields: tuple[FieldSum, ...] = ()
    renumbered: int = 0
    schools_without_changes: int = 0


def sums_of_plan(session: Session, plan: Path, *, mode: Mode, on_absent: OnAbsent) -> dict[str, Any]:
    """Return what `Run.sums` stores for the plan in this file. The session has the accounts that it was made with."""
    only_active = on_absent == "disable"
    values = {"plan": str(plan), "types": mode.user_types, "only_active": only_active}
    cells = session.rows(sql_text(__package__, "sums"), **values)
    schools = _added_up((org, counts) for org, _, *counts in cells)
    types = _added_up((user_type, counts) for _, user_type, *counts in cells)
    fields = session.rows(sql_text(__package__, "changed_fields"), plan=str(plan))
    sums = Sums(
        base=sum(each.here for each in types),
        schools=tuple(each for each in schools if each.has_changes),
        types=tuple(each for each in types if each.has_changes),
        fields=tuple(FieldSum(*each[: 4 if each[3] >= LEAST_NAMED else 2]) for each in fields),
        renumbered=len(session.rows(sql_text(__package__, "renumbered"), plan=str(plan))),
        schools_without_changes=sum(not each.has_changes for each in schools),
    )
    found = vars(sums)
    slices = {name: [[*vars(each).values()] for each in found[name]] for name in ("schools", "types")}
    return {**found, **slices, "fields": [*map(vars, sums.fields)]}


def stored_sums(stored: Mapping[str, Any]) -> Sums | None:
    """Return the sums that `Run.sums` stores, or None for a plan of a version that stored none."""
    if not stored:
        return None
    return Sums(
        base=stored["base"],
        schools=tuple(Slice(*each) for each in stored["schools"]),
        types=tuple(Slice(*each) for each in stored["types"]),
        fields=tuple(FieldSum(**each) for each in stored["fields"]),
        renumbered=stored["renumbered"],
        schools_without_changes=stored["schools_without_changes"],
    )


def _added_up(cells: Iterable[tuple[str, list[int]]]) -> list[Slice]:
    """Return a slice for each name with the sums of its cells, sorted by name."""
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0] * 7)
    for name, counts in cells:
        sums[name] = [before + more for before, more in zip(sums[name], counts, strict=True)]
    return [Slice(name, *counts) for name, counts in sorted(sums.items())]
