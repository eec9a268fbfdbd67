"""Messages: every finding as a sentence, with a guess at the intended value (section 4 of the file format)."""

import functools
from collections.abc import Collection
from dataclasses import asdict, dataclass

from sis_sync.core.did_you_mean import OrgGuesser, guess_listed
from sis_sync.core.findings import ASK_A_MANAGER, FINDING_CODES, MADE_BY, Severity
from sis_sync.core.wording import LEFT_ALONE, LEFT_ALONE_ALL, LEFT_ALONE_SOME, MOST_SHOWN, shown, template_of
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
MOST_FIXES = 3  # in a group: the one for the SIS, and those for lines of the mapping
_FIRST_SENTENCES = """
SELECT code, line, sentence
FROM (SELECT *, row_number() OVER (PARTITION BY code ORDER BY line) AS place FROM said)
WHERE place <= :most ORDER BY code, line
"""
_KNOWN_ACCOUNTS = """
SELECT f.code, count(*), count(k.line)
FROM findings AS f LEFT JOIN (SELECT line FROM people WHERE is_known AND has_id) AS k ON k.line = f.line
WHERE f.is_error GROUP BY f.code HAVING count(k.line) > 0
"""
_FIXES = """
SELECT code, fix
FROM (
  SELECT code, fix, row_number() OVER (PARTITION BY code ORDER BY is_error DESC, times DESC, fix) AS place
  FROM (SELECT code, fix, bool_or(is_error) AS is_error, count(*) AS times FROM said GROUP BY code, fix)
)
WHERE place <= :most ORDER BY code, place
"""


def word_findings(session: Engine, *, codes: Collection[str], file_name: str) -> None:
    """Make the views `said` and `remarks` over all findings, including those that planning adds later.

    `codes` are those of the findings so far.
    """
    session.run("CREATE TEMP TABLE guesses (code VARCHAR, value VARCHAR, guess VARCHAR, times BIGINT)")
    if not GUESSED_FIELDS.keys().isdisjoint(codes):
        _load_guesses(session)
    session.run(
        "CREATE TEMP VIEW all_findings AS SELECT line, code, value, other, is_error, made_by FROM findings "
        "UNION ALL SELECT line, code, value, other, FALSE, '' FROM ignored"
    )
    make_messages(session, codes=codes, file_name=file_name)


def make_messages(session: Engine, *, codes: Collection[str], file_name: str, names_accounts: bool = True) -> None:
    """Make the views `said` and `remarks` over `all_findings`, which may have these codes.

    Without `names_accounts`, no message tells whether an account is known.
    """
    texts = _texts_of(frozenset(codes))
    rows = ", ".join(text.row() for text in texts)
    session.run(
        f"CREATE OR REPLACE TEMP TABLE finding_texts AS SELECT * FROM (VALUES {rows}) "
        "AS v(code, is_error, head, says_value, middle, says_other, tail, fix, fix_key, made_head, made_tail, made_key)"
    )
    left_alone = LEFT_ALONE if names_accounts else ""
    session.run(sql_text(__package__, "messages"), file=shown(file_name), most=MOST_SHOWN, left_alone=left_alone)


@dataclass(frozen=True)
class _Text:
    """The message of a code, as an error or as a warning, and its fix. `made_fix` is that of a value of a mapping.

    The keys number the fixes, and those of the values of each field: a row says each of them once, in this order.
    """

    code: str
    is_error: bool
    message: str
    fix: str
    fix_key: int
    made_fix: str
    made_key: int

    def row(self) -> str:
        """Return the text as a row of `finding_texts`."""
        made_head, _, made_tail = self.made_fix.partition("{line}")
        return bind(
            "(:code, :is_error, :head, :says_value, :middle, :says_other, :tail, :fix, :fix_key, "
            ":made_head, :made_tail, :made_key)",
            code=self.code,
            is_error=self.is_error,
            fix=self.fix,
            fix_key=self.fix_key,
            made_head=made_head,
            made_tail=made_tail,
            made_key=self.made_key,
            **asdict(template_of(self.message)),
        )


@functools.lru_cache(maxsize=100)
def _texts_of(codes: frozenset[str]) -> tuple[_Text, ...]:
    """Return the texts of each code that occurs or that planning may add."""
    found = [code for code in (*FINDING_CODES.values(), ASK_A_MANAGER) if code.code in {*codes, *ADDED_BY_PLANNING}]
    texts = [(code, code.severity == "error", code.message, code.fix) for code in found]
    texts += [(code, False, code.remark, code.remark_fix) for code in found if code.remark]
    fixes = {fix: key for key, fix in enumerate(sorted({fix for *_, fix in texts}), start=1)}
    made = {field: key for key, field in enumerate(sorted({code.column for code in found}), start=len(fixes) + 1)}
    return tuple(
        _Text(code.code, is_error, message, fix, fixes[fix], f"{MADE_BY}{code.made_fix}", made[code.column])
        for code, is_error, message, fix in texts
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
    if not counts:
        return ()
    examples, advice = _examples(session, records), _advice(session)
    failing = {code for (code,) in session.rows("SELECT DISTINCT code FROM findings WHERE is_error")}
    groups = [
        FindingGroup(
            code=code,
            severity="error" if code in failing else "warning",
            count=count,
            examples=tuple(examples.get(code, [])[:EXAMPLES]),
            advice=advice.get(code, FINDING_CODES[code].fix),
            mapping_lines=_mapping_lines(session, code),
        )
        for code, count in counts.items()
    ]
    return tuple(sorted(groups, key=lambda group: (group.severity, -group.count, group.code)))


def _examples(session: Session, records: Records) -> dict[str, list[str]]:
    """Return sentences by code: about the file first, then about its rows."""
    name = shown(records.facts.name)
    found: dict[str, list[str]] = {}
    for warning in records.warnings:
        found.setdefault(warning.code, []).append(f"{name}: {warning.message} ({warning.code}).")
    for code, line, sentence in session.rows(_FIRST_SENTENCES, most=EXAMPLES):
        found.setdefault(code, []).append(f"{name} line {line}, {sentence}")
    return found


def _advice(session: Session) -> dict[str, str]:
    """Return the consequence and the fixes by code. The accounts of failed rows stay, if they are known."""
    found: dict[str, list[str]] = {}
    for code, failed, known in session.rows(_KNOWN_ACCOUNTS):
        follows = LEFT_ALONE_ALL if known == failed else LEFT_ALONE_SOME.format(known=f"{known:,}")
        found[code] = [follows]
    for code, fix in session.rows(_FIXES, most=MOST_FIXES):
        found.setdefault(code, []).append(fix)
    return {code: " ".join(parts).strip() for code, parts in found.items()}


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
