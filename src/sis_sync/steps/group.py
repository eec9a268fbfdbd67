"""Group: the findings of a file by code, with counts, first examples and advice, as every place shows them first."""

from dataclasses import asdict, dataclass

from sis_sync.core.findings import FINDING_CODES, Severity
from sis_sync.core.wording import LEFT_ALONE_ALL, shown
from sis_sync.engine.session import Session
from sis_sync.formats.value_line import value_line
from sis_sync.steps.read import Records
from sis_sync.steps.word import GUESSED_FIELDS

EXAMPLES = 3
MAPPING_LINES = 5
_FIRST_SENTENCES = """
SELECT code, line, sentence
FROM (SELECT *, row_number() OVER (PARTITION BY code ORDER BY line) AS place FROM said)
WHERE place <= :most ORDER BY code, line
"""


@dataclass(frozen=True)
class FindingGroup:
    """All findings of one code. `advice` says what follows and what to do.

    `mapping_lines` would turn the values found most often into what they may have meant, in every row.
    """

    code: str
    severity: Severity
    count: int
    examples: tuple[str, ...]
    advice: str
    mapping_lines: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """For JSON, in the order of the fields."""
        return asdict(self)


def group_findings(session: Session, records: Records, counts: dict[str, int]) -> tuple[FindingGroup, ...]:
    """A group for each code of `counts`: errors first, then by number. Three examples each, first lines first."""
    order = sorted(counts.items(), key=lambda item: (FINDING_CODES[item[0]].severity, -item[1], item[0]))
    examples = _examples(session, records)
    return tuple(_group(session, code, count, examples.get(code, [])) for code, count in order)


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


def _examples(session: Session, records: Records) -> dict[str, list[str]]:
    """By code: what was found of the file, then of its rows."""
    name = shown(records.facts.name)
    found: dict[str, list[str]] = {}
    for warning in records.warnings:
        found.setdefault(warning.code, []).append(f"{name}: {warning.message} ({warning.code}).")
    for code, line, sentence in session.rows(_FIRST_SENTENCES, most=EXAMPLES):
        found.setdefault(code, []).append(f"{name} line {line}, {sentence}")
    return found


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
