"""Word: says every finding in the one template, with what a value may have meant (the file format's section 4)."""

from dataclasses import asdict

from sis_sync.core.did_you_mean import OrgGuesser, guess_listed
from sis_sync.core.findings import FINDING_CODES
from sis_sync.core.wording import LEFT_ALONE, MOST_SHOWN, shown, template_of
from sis_sync.engine.base import Engine
from sis_sync.engine.sql import bind, sql_text

# Guesses are made for the values that stand most often, once each; a guess a row would be a loop over rows.
MOST_GUESSED = 1000
GUESSED_FIELDS: dict[str, str] = {
    "user_type.unknown": "user_type",
    "grade.unknown": "grade",
    "status.unknown": "status",
    "org.unknown": "school_district_external_id",
}


def word_findings(session: Engine, *, file_name: str) -> None:
    """Make the views `said` and `remarks` over the findings so far and those still to come."""
    _load_texts(session)
    _load_guesses(session)
    session.run(
        sql_text(__package__, "word"),
        file=shown(file_name),
        most=MOST_SHOWN,
        left_alone=LEFT_ALONE,
    )


def _load_texts(session: Engine) -> None:
    rows = ", ".join(
        bind(
            "(:code, :head, :says_value, :middle, :says_other, :tail, :fix, :is_error)",
            code=code.code,
            fix=code.fix,
            is_error=code.severity == "error",
            **asdict(template_of(code.message)),
        )
        for code in FINDING_CODES.values()
    )
    session.run(
        f"CREATE TEMP TABLE finding_texts AS SELECT * FROM (VALUES {rows}) "
        "AS v(code, head, says_value, middle, says_other, tail, fix, is_error)"
    )


def _load_guesses(session: Engine) -> None:
    session.run("CREATE TEMP TABLE guesses (code VARCHAR, value VARCHAR, guess VARCHAR, times BIGINT)")
    found = session.rows(
        "SELECT code, value, count(*) AS times FROM findings WHERE code IN :codes AND value <> '' "
        "GROUP BY code, value ORDER BY times DESC, code, value LIMIT :most",
        codes=tuple(GUESSED_FIELDS),
        most=MOST_GUESSED,
    )
    if not found:
        return
    orgs = OrgGuesser(dict(session.rows("SELECT external_id, name FROM orgs")), len(found))
    guessed = [(code, value, _guess(orgs, code, value), times) for code, value, times in found]
    rows = ", ".join(
        bind("(:code, :value, :guess, :times)", code=code, value=value, guess=guess, times=times)
        for code, value, guess, times in guessed
        if guess
    )
    if rows:
        session.run(f"INSERT INTO guesses VALUES {rows}")


def _guess(orgs: OrgGuesser, code: str, value: str) -> str:
    return orgs.guess(value) if code == "org.unknown" else guess_listed(GUESSED_FIELDS[code], value)
