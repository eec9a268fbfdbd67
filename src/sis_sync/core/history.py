"""What earlier runs did, as far as guards ask for it. Without a server there is none."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class History:
    """Of the last applied file of the same mode and scope: its rows, and the files of its stored plan.

    `last_plan` are the rows that changed anything and those that did not; none if they are gone.
    `had_deleting_sync`: whether a file whose absent accounts leave was ever applied in this school system.
    `left_ids`: custom IDs of accounts that runs deleted or disabled in the last 7 days, come back since or not.
    """

    last_plan: tuple[Path, Path] | tuple[()] = ()
    last_rows: int = 0
    had_deleting_sync: bool = False
    left_ids: tuple[str, ...] = ()
