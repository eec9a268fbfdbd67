"""Guess the listed value or the org that an unknown value means: first by synonym, then by similar spelling."""

import difflib

from sis_sync.core.fields import ACTIVE, DISABLED, LISTED_VALUES, STUDENT

_MIN_SIMILARITY = 0.75
_SIGNS = ("-", "+", "\u2212", "\u2013")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_SYNONYMS: dict[str, dict[str, tuple[str, ...]]] = {
    "grade": {
        "PreK": ("pre-k", "pre k", "pk", "jk", "prekindergarten", "pre-kindergarten", "preschool", "nursery"),
        "K": ("kg", "k5", "kn", "kf", "tk", "sk", "kinder", "kindergarten", "0", "00"),
        "Other": ("adult", "postgraduate", "ungraded", "ug", "13"),
        "Unspecified": ("unknown", "none", "n/a", "na", "-", "null", "not specified"),
    },
    "user_type": {
        STUDENT: (
            *("pupil", "learner", "child", "students", "pupils", "stu", "schüler", "schülerin", "élève", "alumno"),
            *("alumna", "alunno", "alunna", "studente", "leerling", "aluno", "aluna", "uczeń", "žák", "elev"),
            *("oppilas", "opiskelija"),
        ),
        "Teacher": (
            *("faculty", "instructor", "educator", "lecturer", "teachers", "t", "lehrer", "lehrerin", "lehrkraft"),
            *("enseignant", "enseignante", "professeur", "profesor", "profesora", "docente", "docent", "leraar"),
            *("nauczyciel", "učitel", "lärare", "lærer", "opettaja"),
        ),
        "Staff": (
            *("employee", "aide", "paraprofessional", "support", "secretary", "counselor", "mitarbeiter"),
            *("mitarbeiterin", "personnel", "medewerker", "pracownik", "zaměstnanec", "ansatt", "medarbejder"),
        ),
        "Administrator": ("admin", "principal", "sysadmin", "head", "administrators", "manager"),
    },
    "status": {
        ACTIVE: (
            *("enabled", "enrolled", "current", "true", "yes", "y", "1", "a", "live", "actv", "aktiv", "actif"),
            *(
                "activo",
                "attivo",
                "actief",
                "ativo",
                "aktywny",
                "aktivní",
                "aktiivinen",
                "aktívny",
                "attending",
                "läsnä",
            ),
            *("ja", "j", "oui", "si", "sí", "sì", "sim", "tak", "ano", "kyllä", "igen"),
        ),
        DISABLED: (
            *("inactive", "suspended", "withdrawn", "left", "leaver", "former", "archived", "deleted"),
            *(
                "transferred",
                "graduated",
                "tobedeleted",
                "blocked",
                "exited",
                "terminated",
                "resigned",
                "retired",
                "ended",
                "unenrolled",
                "not enrolled",
                "false",
                "no",
                "n",
                "0",
                "i",
                "d",
            ),
            *(
                *("nein", "nee", "nej", "nei", "non", "não", "nie", "ne", "ei", "nem"),
                "inaktiv",
                "inactif",
                "inactivo",
                "inattivo",
                "inactief",
                "inativo",
                "nieaktywny",
                "neaktivní",
                "neaktívny",
            ),
            *("ritirato", "eronnut", "departed"),
        ),
    },
}


def _known_words(field: str) -> dict[str, str]:
    words = {value.lower(): value for value in LISTED_VALUES[field]}
    for value, others in _SYNONYMS[field].items():
        words.update(dict.fromkeys(others, value))
    return words


_WORDS = {field: _known_words(field) for field in LISTED_VALUES}


def known_meaning(field: str, value: str) -> str:
    """Return the listed value of `field` that this word is a synonym of, or "" for an unknown word."""
    folded = value.strip().lower()
    number = _grade_number(folded) if field == "grade" else ""
    return number or _WORDS[field].get(folded, "")


def guess_listed(field: str, value: str) -> str:
    """Return the listed value of `field` that this value may mean, or "" if none is similar."""
    if meaning := known_meaning(field, value):
        return meaning
    words = _WORDS[field]
    folded = value.strip().lower()[:40]
    # A word that is misspelled keeps its first letter: "pending" is not "attending".
    spelled = [word for word in words if len(word) > 3 and word[0] == folded[:1]]
    close = difflib.get_close_matches(folded, spelled, 1, _MIN_SIMILARITY)
    return words[close[0]] if close else ""


def _grade_number(folded: str) -> str:
    """Return 7 for 07, 7th, grade 7, 7.0 and seventh, or "" for other words."""
    if folded[:1] in _SIGNS:
        return ""  # -1 is not grade 1: districts write negative codes for the years before kindergarten
    bare = folded.removeprefix("grade").removeprefix("year").removesuffix("grade").strip(" .-_")
    if bare in _ORDINALS:
        return str(_ORDINALS.index(bare) + 1)
    digits = bare.removesuffix(".0")
    for ending in ("st", "nd", "rd", "th"):
        digits = digits.removesuffix(ending)
    number = digits.lstrip("0")
    return number if digits.isascii() and digits.isdigit() and number in LISTED_VALUES["grade"] else ""


class OrgGuesser:
    """Guesses the external ID that a wrong one means: it may lack zeros, differ in punctuation, or be a name."""

    _MAX_COMPARISONS = 100_000

    def __init__(self, names: dict[str, str], values: int) -> None:
        """`names` maps external IDs to names. `values` is the number of guesses: with too many, spelling is ignored."""
        self._alike = {_bare(name): external_id for external_id, name in names.items() if _bare(name)}
        self._alike |= {_bare(external_id): external_id for external_id in names if _bare(external_id)}
        spelled = [external_id for external_id in names if not external_id.isdigit()]
        self._spelled = spelled if len(spelled) * values <= self._MAX_COMPARISONS else []

    def guess(self, value: str) -> str:
        """Return the known external ID, "" if none is similar. Numbers may only differ in zeros: 1001 is not 1002."""
        if found := self._alike.get(_bare(value)):
            return found
        if any(character.isdigit() for character in value) or not self._spelled:
            return ""
        close = difflib.get_close_matches(value[:64], self._spelled, 1, _MIN_SIMILARITY)
        return close[0] if close else ""


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold())).lstrip("0")
