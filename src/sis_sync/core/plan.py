"""A plan: one action per row of the file, one per absent account."""

from dataclasses import asdict, dataclass

ROW_ACTIONS: tuple[str, ...] = ("create", "update", "restore", "unchanged", "ignored", "failed")
ABSENT_ACTIONS: tuple[str, ...] = ("delete", "disable")
CHANGING_ACTIONS: tuple[str, ...] = ("create", "update", "restore")


@dataclass(frozen=True)
class Counts:
    """How many rows and accounts get each action. `rows` is the number of data records in the file."""

    rows: int = 0
    create: int = 0
    update: int = 0
    restore: int = 0
    unchanged: int = 0
    ignored: int = 0
    failed: int = 0
    delete: int = 0
    disable: int = 0

    def __post_init__(self) -> None:
        """No record is ever lost without an action: the sum is checked, always."""
        planned = sum(getattr(self, action) for action in ROW_ACTIONS)
        if planned != self.rows:
            raise AssertionError(f"{self.rows} records in the file, but {planned} in the plan")

    def as_dict(self) -> dict[str, int]:
        """The counts in the order of the fields, for JSON."""
        return asdict(self)

    @property
    def leaving(self) -> int:
        """Accounts that absence deletes or disables."""
        return self.delete + self.disable

    @property
    def changes(self) -> int:
        """Accounts that applying would touch."""
        return self.create + self.update + self.restore + self.leaving
