"""Messages: every finding as a sentence, with a guess at the intended value (section 4 of the file format)."""

import functools
from collections.abc import Collection
from dataclasses import asdict, dataclass

from sis_sync.core.did_you_mean import OrgGuesser, guess_listed
from sis_sync.core.findings import ASK_A_MANAGER, FINDING_CODES, Severity
from sis_sync.core.wording import LEFT_ALONE, LEFT_ALONE_ALL, MOST_SHOWN, shown, template_of
from sis_sync.engine.base import Engine
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import bind, sql_text
from sis_sync.steps.map.field_lines import value_line
from sis_sync.steps.read.read import Records

# Only this many of the most frequent values are guessed, once per value: a guess per row would be a loop over rows.
MOST_GUESSED = 1000
GUESSED_FIELDS: dict[str, str] = {
    "user_type.unknown": "user_type",
    "grade.unknown": "grade",
    "status.unknown": "status",
    "org.unknown": "school_district_external_id",
}
# The step plan adds these to the findings that are counted so far.
ADDED_BY_PLANNING = ("account.last_manager", "email.taken", "email.taken_unmanaged")
EXAMPLES = 3  # sentences in a group
MAPPING_LINES = 5  # in a group
_FIRST_SENTENCES = """
SELECT code, line, sentence
FROM (SELECT *, row_number() OVER (PARTITION BY code ORDER BY line) AS place FROM said)
WHERE place <= :most ORDER BY code, line
"""


def word_findings(session: Engine, *, codes: Collection[str], file_name: str) -> None:
    """Make the views `said` and `remarks` over all findings, including those that planning adds later.

    `codes` are those of the findings so far.
    """
    session.run("CREATE TEMP TABLE guesses (code VARCHAR, value VARCHAR, guess VARCHAR, times BIGINT)")
    if not GUESSED_FIELDS.keys().isdisjoint(codes):
        _load_guesses(session)
    session.run(
        "CREATE TEMP VIEW all_findings AS "
        "SELECT line, code, value, other FROM findings UNION ALL SELECT line, code, value, other FROM ignored"
    )
    make_messages(session, codes=codes, file_name=file_name)


def make_messages(session: Engine, *, codes: Collection[str], file_name: str) -> None:
    """Make the views `said` and `remarks` over `all_findings`, which may have these codes."""
    session.run(_finding_texts(frozenset(codes)))
    session.run(
        sql_text(__package__, "messages"),
        file=shown(file_name),
        most=MOST_SHOWN,
        left_alone=LEFT_ALONE,
    )


@functools.lru_cache(maxsize=100)
def _finding_texts(codes: frozenset[str]) -> str:
    """Return SQL that makes `finding_texts`: one row per code that occurs or may be added, its message in pieces."""
    rows = ", ".join(
        bind(
            "(:code, :head, :says_value, :middle, :says_other, :tail, :fix, :is_error)",
            code=code.code,
            fix=code.fix,
            is_error=code.severity == "error",
            **asdict(template_of(code.message)),
        )
        for code in (*FINDING_CODES.values(), ASK_A_MANAGER)
        if code.code in codes or code.code in ADDED_BY_PLANNING
    )
    return (
        f"CREATE OR REPLACE TEMP TABLE finding_texts AS SELECT * FROM (VALUES {rows}) "
        "AS v(code, head, says_value, middle, says_other, tail, fix, is_error)"
    )


def _load_guesses(session: Engine) -> None:
    """Fill `guesses`: code, value, guess, and how often the value occurs."""
    found = session.rows(
        "SELECT code, value, count(*) AS times FROM findings WHERE code IN :codes AND value <> '' "
        "GROUP BY code, value ORDER BY times DESC, code, value LIMIT :most",
        codes=tuple(GUESSED_FIELDS),
        most=MOST_GUESSED,
    )
    orgs = OrgGuesser(dict(session.rows("SELECT external_id, name FROM orgs")), len(found))
    guessed = [
        (code, value, orgs.guess(value) if code == "org.unknown" else guess_listed(GUESSED_FIELDS[code], value), times)
        for code, value, times in found
    ]
    rows = ", ".join(
        bind("(:code, :value, :guess, :times)", code=code, value=value, guess=guess, times=times)
        for code, value, guess, times in guessed
        if guess
    )
    if rows:
        session.run(f"INSERT INTO guesses VALUES {rows}")


@dataclass(frozen=True)
class FindingGroup:
    """All findings of one code. `advice` is the consequence and the fix.

    `mapping_lines` replace the most frequent values with their guesses, in every row.
    """

    code: str
    severity: Severity
    count: int
    examples: tuple[str, ...]
    advice: str
    mapping_lines: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Return the group for JSON, in the order of the fields."""
        return asdict(self)


def group_findings(session: Session, records: Records, counts: dict[str, int]) -> tuple[FindingGroup, ...]:
    """Return a group for each code of `counts`: errors first, then the largest. The examples are the first lines."""
    order = sorted(counts.items(), key=lambda item: (FINDING_CODES[item[0]].severity, -item[1], item[0]))
    examples = _examples(session, records)
    return tuple(_group(session, code, count, examples.get(code, [])) for code, count in order)


def _examples(session: Session, records: Records) -> dict[str, list[str]]:
    """Return sentences by code: about the file first, then about its rows."""
    name = shown(records.facts.name)
    found: dict[str, list[str]] = {}
    for warning in records.warnings:
        found.setdefault(warning.code, []).append(f"{name}: {warning.message} ({warning.code}).")
    for code, line, sentence in session.rows(_FIRST_SENTENCES, most=EXAMPLES):
        found.setdefault(code, []).append(f"{name} line {line}, {sentence}")
    return found


def _group(session: Session, code: str, count: int, examples: list[str]) -> FindingGroup:
    finding = FINDING_CODES[code]
    follows = LEFT_ALONE_ALL if finding.severity == "error" else ""
    return FindingGroup(
        code=code,
        severity=finding.severity,
        count=count,
        examples=tuple(examples[:EXAMPLES]),
        advice=f"{follows} {finding.fix}".strip(),
        mapping_lines=_mapping_lines(session, code),
    )


def _mapping_lines(session: Session, code: str) -> tuple[str, ...]:
    if code not in GUESSED_FIELDS:
        return ()
    guessed = session.rows(
        "SELECT value, guess FROM guesses WHERE code = :code ORDER BY times DESC, value LIMIT :most",
        code=code,
        most=MAPPING_LINES,
    )
    lines = (value_line(GUESSED_FIELDS[code], value, guess) for value, guess in guessed)
    return tuple(line for line in lines if line)
