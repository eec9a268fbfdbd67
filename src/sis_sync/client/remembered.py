"""What is remembered between passes: how a file looked before, what was kept where, when a schedule was served."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from sis_sync.client.found_file import FoundFile
from sis_sync.client.state import State


def is_settled(state: State, found: FoundFile, *, settle_seconds: int, now: datetime) -> bool:
    """Whether an earlier look, at least `settle_seconds` ago, saw the same size and time. Remembers this look.

    Our own clock counts: the file's time may come from another computer or from a copy.
    """
    row = state.database.execute("select * from look where path = ?", (str(found.path),)).fetchone()
    if row and (row["size_bytes"], row["modified_ns"]) == (found.size_bytes, found.modified_ns):
        first_seen_at = datetime.fromisoformat(row["first_seen_at"])
        if first_seen_at <= now:
            return now - first_seen_at >= timedelta(seconds=settle_seconds)
    state.database.execute(
        "insert or replace into look values (?, ?, ?, ?)",
        (str(found.path), found.size_bytes, found.modified_ns, now.isoformat()),
    )
    return settle_seconds == 0


def forget_others(state: State, paths: Iterable[Path]) -> None:
    """Forget the looks at files that are no longer there."""
    present = {str(path) for path in paths}
    for row in state.database.execute("select path from look").fetchall():
        if row["path"] not in present:
            state.database.execute("delete from look where path = ?", (row["path"],))


def served_at(state: State, section: str, *, now: datetime) -> datetime:
    """When the section's schedule was last served; a new section counts from now on."""
    state.database.execute("insert or ignore into served values (?, ?)", (section, now.isoformat()))
    row = state.database.execute("select served_at from served where section = ?", (section,)).fetchone()
    return datetime.fromisoformat(row["served_at"])


def mark_served(state: State, section: str, *, now: datetime) -> None:
    """The section's files of this moment have been taken."""
    state.database.execute("insert or replace into served values (?, ?)", (section, now.isoformat()))


def remember_kept(state: State, path: Path, *, now: datetime) -> None:
    """A file that we put into an archive; only such files are ever removed from one."""
    state.database.execute("insert or replace into kept values (?, ?)", (str(path), now.isoformat()))


def kept_before(state: State, moment: datetime) -> list[Path]:
    """The archived files that are older than this."""
    rows = state.database.execute("select path from kept where kept_at < ?", (moment.isoformat(),))
    return [Path(row["path"]) for row in rows]


def forget_kept(state: State, path: Path) -> None:
    """The archived file is gone."""
    state.database.execute("delete from kept where path = ?", (str(path),))
