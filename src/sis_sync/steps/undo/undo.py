"""Undo: make the people of a plan that takes an earlier run back (section 7 of the sync rules).

It replaces read, map and validate: it makes the same tables, not from a file but from the history of the accounts that
the run changed. The steps after it judge addresses and managers, decide, and check the guards as for any other plan.
DuckDB plans it on every server, because it is about one run.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.findings import FINDING_CODES, UNDO_CODES
from sis_sync.core.modes import RESTORE, Mode
from sis_sync.core.plan import ABSENT_ACTIONS, ACCOUNT_ACTIONS
from sis_sync.core.reading_options import NO_HEADER
from sis_sync.core.wording import template_of
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import bind, sql_text
from sis_sync.steps.map.columns import Columns
from sis_sync.steps.map.mapping import NO_MAPPING
from sis_sync.steps.read.read import FileFacts, Records
from sis_sync.steps.validate.messages import EXAMPLES, FindingGroup
from sis_sync.steps.validate.validate import Judged

# The columns of `Changes.file`. `number` rises with time, `of_run` is yes or empty, `line` is that of the run's file,
# `before` and `after` are JSON objects of fields.
CHANGE_COLUMNS: tuple[str, ...] = ("number", "account_id", "of_run", "line", "action", "before", "after")
# The steps after this one add the last three.
_CODES = (*UNDO_CODES, "account.protected", "account.last_manager", "email.taken", "email.taken_unmanaged")
_KNOWN = {**FINDING_CODES, **UNDO_CODES}
_FIRST_SENTENCES = """
SELECT code, sentence FROM (SELECT *, row_number() OVER (PARTITION BY code ORDER BY line) AS place FROM said)
WHERE place <= :most ORDER BY code, place
"""


@dataclass(frozen=True)
class Changes:
    """The history of the accounts that a run changed, from this run on.

    `orgs_then` maps external IDs at the time of the run to those of the same orgs now, if they differ.
    """

    name: str
    file: Path
    orgs_then: Mapping[str, str]


def judge_changes(session: Session, changes: Changes, mode: Mode) -> Judged:
    """Make `people`, `ignored`, `findings`, `failed` and `absent` of what the run changed. Load the directory first.

    A field that was changed since is left alone and gets a finding. In the mode `restore`, only people who left count.
    """
    source = session.csv_source(changes.file, CHANGE_COLUMNS)
    session.run(f"CREATE TEMP TABLE run_changes AS SELECT * FROM {source}")
    session.run("CREATE TEMP TABLE orgs_then (external_id VARCHAR, now VARCHAR)")
    if changes.orgs_then:
        rows = ", ".join(bind("(:then, :now)", then=then, now=now) for then, now in sorted(changes.orgs_then.items()))
        session.run(f"INSERT INTO orgs_then VALUES {rows}")
    taken_back = ABSENT_ACTIONS if mode.name == RESTORE.name else ACCOUNT_ACTIONS
    session.run(sql_text(__package__, "changes"), taken_back=taken_back, fields=FIELD_NAMES)
    session.run(sql_text(__package__, "people"))
    session.run(_texts())
    session.run(sql_text(__package__, "remarks"))
    rows_now = session.value("SELECT count(*) FROM people")
    facts = FileFacts(
        name=changes.name,
        bytes=0,
        sha256="",
        rows=rows_now,
        columns=0,
        encoding="",
        delimiter="",
        mapping="",
        has_final_newline=True,
    )
    records = Records(facts, Columns((), {}, frozenset()), NO_MAPPING, (), broken_rows=0, header_line=NO_HEADER)
    return Judged(records, mode, {}, session.value("SELECT count(*) FROM failed"))


def put_values_back(session: Session) -> None:
    """Give the people who leave again their values from before the run. Call it after the guards."""
    session.run(sql_text(__package__, "old_values"))


def group_undo_findings(session: Session, counts: Mapping[str, int]) -> tuple[FindingGroup, ...]:
    """Return a group for each code, the first sentences as its examples."""
    examples: dict[str, list[str]] = {}
    for code, sentence in session.rows(_FIRST_SENTENCES, most=EXAMPLES):
        examples.setdefault(code, []).append(sentence)
    return tuple(
        FindingGroup(
            code=code,
            severity=_KNOWN[code].severity,
            count=count,
            examples=tuple(examples.get(code, ())),
            advice=_fix(code),
            mapping_lines=(),
        )
        for code, count in counts.items()
    )


def _fix(code: str) -> str:
    """Return what to do about a finding. There is no file to correct, so only our own codes say it."""
    return UNDO_CODES[code].fix if code in UNDO_CODES else ""


def _texts() -> str:
    rows = ", ".join(
        bind(
            "(:code, :head, :says_value, :middle, :says_other, :tail, :fix)",
            code=code,
            fix=_fix(code),
            **asdict(template_of(_KNOWN[code].message)),
        )
        for code in _CODES
    )
    return (
        f"CREATE TEMP TABLE undo_texts AS SELECT * FROM (VALUES {rows}) "
        "AS v(code, head, says_value, middle, says_other, tail, fix)"
    )
