"""A plan: one action per row of the file, and one per absent account."""

from dataclasses import dataclass

ROW_ACTIONS: tuple[str, ...] = ("create", "update", "restore", "unchanged", "ignored", "failed")
ABSENT_ACTIONS: tuple[str, ...] = ("delete", "disable")
CHANGING_ACTIONS: tuple[str, ...] = ("create", "update", "restore")
ACCOUNT_ACTIONS: tuple[str, ...] = (*CHANGING_ACTIONS, *ABSENT_ACTIONS)  # all that change an account


@dataclass(frozen=True)
class Counts:
    """The number of rows and accounts for each action. `rows` is the number of records in the file."""

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
        """Raise AssertionError if a record has no action."""
        planned = sum(getattr(self, action) for action in ROW_ACTIONS)
        if planned != self.rows:
            raise AssertionError(f"{self.rows} records in the file, but {planned} in the plan")

    def as_dict(self) -> dict[str, int]:
        """Return the counts in the order of the fields, for JSON."""
        return dict(vars(self))

    @property
    def leaving(self) -> int:
        """The number of accounts to delete or disable because they are absent."""
        return self.delete + self.disable

    @property
    def changes(self) -> int:
        """The number of accounts that the plan changes."""
        return self.create + self.update + self.restore + self.leaving
