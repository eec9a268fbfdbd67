"""Removes people's rows from the stored files of ended runs. Each step may be repeated after a crash."""

import csv
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db.models.functions import Lower

from sis_sync.core.reading_options import DELIMITERS, delimiter_called
from sis_sync.core.whole_files import replaced_whole
from sis_sync.engine.duckdb import Session
from sis_sync.server.accounts.models import Account
from sis_sync.server.runs.files import RunFiles, reading_session, run_files
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.purge.removed import remove_path
from sis_sync.server.runs.purge.run_files import without_examples

PIECE_CHARACTERS = 1 << 20
_BETWEEN_CELLS = re.compile(f'[{re.escape("".join(DELIMITERS))}"\r\n]+')
# A row is about a person if it has their account or their ID. A row without an account may only have their address.
_IS_ABOUT = {
    "account_id": "account_id IN (SELECT account_id FROM gone)",
    "custom_id": "custom_id IN (SELECT custom_id FROM gone)",
    "email": "(account_id = '' AND lower(email) IN (SELECT address FROM gone))",
}
_NAMED = {
    "account_id": "SELECT g.account_id FROM gone g JOIN rows r ON r.account_id = g.account_id",
    "custom_id": "SELECT g.account_id FROM gone g JOIN rows r ON r.custom_id = g.custom_id",
    "email": "SELECT g.account_id FROM gone g JOIN rows r ON r.account_id = '' AND lower(r.email) = g.address",
}


@dataclass(frozen=True)
class Person:
    """A deleted person, as files name them. `address` is empty if another account has it now."""

    account_id: int
    custom_id: str
    address: str


def people_with(ids: list[int]) -> list[Person]:
    """Return the people with these accounts, all of one school system."""
    accounts = Account.objects.filter(pk__in=ids).annotate(address=Lower("email"))
    found = list(accounts.order_by("pk"))
    others = Account.objects.filter(school_system__in={each.school_system_id for each in found}).exclude(pk__in=ids)
    others = others.annotate(address=Lower("email")).filter(address__in=[each.address for each in found])
    taken = set(others.values_list("address", flat=True))
    return [Person(each.pk, each.custom_id or "", "" if each.address in taken else each.address) for each in found]


def named_in_plan(run: Run, people: list[Person]) -> set[int]:
    """Return the accounts of those people whom the plan of an open run names. Without a plan, it may name them all."""
    files = run_files(run)
    if not (files.plan.is_file() and files.unchanged.is_file()):
        return {person.account_id for person in people}
    with _session(people) as session:
        return _named(session, files.plan) | _named(session, files.unchanged)  # the notes name no one else


def remove_traces(run: Run, people: list[Person], *, now: datetime) -> None:
    """Remove the rows about these people from all files of an ended run."""
    files = run_files(run)
    if files.folder.is_symlink() or files.plan.parent.is_symlink():
        return  # what it leads to is not ours
    if not files.plan.is_file():
        _remove_from_rest(run, files, people, now)
        return
    with _session(people) as session:
        tables = [path for path in (files.seen, files.notes, files.unchanged, files.plan) if path.is_file()]
        if not any(_named(session, path) for path in tables):
            return
        _forget_examples(run, now)
        remove_path(files.original)
        for path in (files.reading, files.findings, files.told, files.told_failed, *files.all_results):
            remove_path(path)
        _cut_failed_rows(session, files, run.file_facts.get("delimiter"))
        # The plan goes last: by its rows, a purge that begins again finds what is left of the other files.
        for path in tables:
            _cut_table(session, path)
    for path in files.all_results:  # someone may have asked for them meanwhile
        remove_path(path)


def _remove_from_rest(run: Run, files: RunFiles, people: list[Person], now: datetime) -> None:
    """Remove the people from what remains of a run without a plan: its file, and the IDs that guards remember."""
    for path in (files.original, files.refused):
        if path.is_file() and names_any(path, people):
            _forget_examples(run, now)
            remove_path(path)
    if files.remembered.is_file():
        with _session(people) as session:
            if _named(session, files.remembered):
                _cut_table(session, files.remembered)


def _forget_examples(run: Run, now: datetime) -> None:
    Run.objects.filter(pk=run.pk).update(**without_examples(run))
    Run.objects.filter(pk=run.pk, file_removed_at__isnull=True).update(file_removed_at=now)


@contextmanager
def _session(people: list[Person]) -> Iterator[Session]:
    """Yield a session with the table `gone` (account_id, custom_id, address; NULL if unknown)."""
    with reading_session() as session:
        session.run("CREATE TEMP TABLE gone (account_id VARCHAR, custom_id VARCHAR, address VARCHAR)")
        accounts = [str(each.account_id) for each in people]
        columns = [accounts, [each.custom_id or None for each in people], [each.address or None for each in people]]
        session.insert(f"INSERT INTO gone SELECT {', '.join(['unnest(?::VARCHAR[])'] * 3)}", columns)
        yield session


def _known_columns(session: Session, path: Path) -> list[str]:
    names = {row[0] for row in session.rows("DESCRIBE SELECT * FROM read_parquet(:path)", path=str(path))}
    return [name for name in _IS_ABOUT if name in names and (name != "email" or "account_id" in names)]


def _named(session: Session, path: Path) -> set[int]:
    queries = " UNION ".join(_NAMED[name] for name in _known_columns(session, path))
    found = session.rows(f"WITH rows AS (SELECT * FROM read_parquet(:path)) {queries}", path=str(path))
    return {int(account_id) for (account_id,) in found}


def _is_about(session: Session, path: Path) -> str:
    """Return the SQL condition that a row of this file is about one of the people."""
    return " OR ".join(f"coalesce({_IS_ABOUT[name]}, FALSE)" for name in _known_columns(session, path))


def _cut_table(session: Session, path: Path) -> None:
    condition = _is_about(session, path)
    with replaced_whole(path) as draft:
        query = f"SELECT * FROM read_parquet(:path) WHERE NOT ({condition})"
        session.run(f"COPY ({query}) TO :draft (FORMAT parquet)", path=str(path), draft=str(draft))


def _cut_failed_rows(session: Session, files: RunFiles, delimiter_name: str | None) -> None:
    if not files.failed.is_file():
        return
    if delimiter_name is None:  # the run was cancelled or failed before it recorded how to read them
        remove_path(files.failed)
        return
    delimiter = delimiter_called(delimiter_name)
    query = f"SELECT {_is_about(session, files.plan)} FROM read_parquet(:path) WHERE action = 'failed' ORDER BY line"
    are_about = [row[0] for row in session.rows(query, path=str(files.plan))]
    if sum(1 for _ in _records(files.failed, delimiter)) - 1 != len(are_about):
        return  # its rows were removed before the server stopped
    _cut_csv(files.failed, delimiter, lambda number, _row: not are_about[number])


def _records(path: Path, delimiter: str) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.reader(file, delimiter=delimiter)


def _cut_csv(path: Path, delimiter: str, is_kept: Callable[[int, list[str]], bool]) -> None:
    """Write the file again with its header and the records that are kept. Records count from 0."""
    with replaced_whole(path) as draft, draft.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
        records = _records(path, delimiter)
        writer.writerow(next(records))
        writer.writerows(row for number, row in enumerate(records) if is_kept(number, row))


def names_any(path: Path, people: Collection[Person]) -> bool:
    """Return True if a cell of this file, which no plan describes, is the ID or the address of one of the people."""
    wanted = {text.lower() for each in people for text in (each.custom_id, each.address) if text}
    with path.open("rb") as file:
        head = file.read(4)
    encoding = "utf-16" if b"\0" in head or head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    begun = ""
    with path.open(encoding=encoding, errors="replace", newline="") as text:
        while piece := text.read(PIECE_CHARACTERS):
            *cells, begun = _BETWEEN_CELLS.split(begun + piece)
            if not wanted.isdisjoint(cell.strip().lower() for cell in cells):
                return True
    return begun.strip().lower() in wanted
