"""The guards: limits that hold a plan until a person approves it (the sync rules' section 3)."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class GuardHit:
    """A guard that holds the plan. `count` of `base` went over `limit`; `message` says it in numbers."""

    code: str
    message: str
    count: int
    base: int
    limit: str

    def as_dict(self) -> dict[str, str | int]:
        """For JSON, in the order of the fields."""
        return asdict(self)


@dataclass(frozen=True)
class GuardLimits:
    """The limits of one mode. Percentages are of whole accounts or rows; `*_floor` is the least count that counts.

    Only deletions and failed rows are settings; the others are fixed.
    """

    deletions_percent: int = 10
    deletions_count: int = 500
    deletions_slice_percent: int = 20
    failed_rows_percent: int = 5
    floor: int = 5
    emptied_floor: int = 5
    changes_percent: int = 5
    changes_floor: int = 20
    cleared_percent: int = 5
    cleared_floor: int = 20
    lost_zeros: int = 20
    rounded_ids: int = 5
    renumbered: int = 5
