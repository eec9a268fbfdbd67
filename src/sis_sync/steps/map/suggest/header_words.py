"""The words of a header: the name in it, whose it is, and if it is that of another person or a private one."""

import functools
import re
import unicodedata
from dataclasses import dataclass

STUDENT_WORDS = frozenset(
    (
        *("student", "students", "stu", "std", "pupil", "pupils", "learner", "child", "scholar", "schueler", "schuler"),
        *("schuelers", "schulers", "schuelerin", "lernende", "eleve", "eleves", "etudiant", "apprenant", "alumno"),
        *("alumna", "alumnos", "alumnado", "estudiante", "estudiantes", "alunno", "alunni", "studente", "studenti"),
        *("leerling", "leerlingen", "studenten", "aluno", "alunos", "estudante", "uczen", "ucznia", "uczniowie"),
        *("zak", "zaka", "zaci", "ziak", "ziaka", "elev", "elever", "elevens", "oppilas", "oppilaan", "opiskelija"),
        *("opiskelijan", "oppija", "tanulo", "ucenik", "opilane"),
    )
)
STAFF_WORDS = frozenset(
    (
        *(
            "staff",
            "employee",
            "employees",
            "emp",
            "teacher",
            "teachers",
            "tch",
            "faculty",
            "worker",
            "lehrer",
            "lehrkraft",
        ),
        *("lehrkrafte", "mitarbeiter", "personal", "bedienstete", "enseignant", "professeur", "agent", "personnel"),
        *("docente", "docentes", "profesor", "empleado", "docenti", "dipendente", "docent", "medewerker", "personeel"),
        *("professor", "funcionario", "nauczyciel", "nauczyciela", "pracownik", "pracownika", "ucitel", "ucitele"),
        *("zamestnanec", "larare", "anstalld", "medarbejder", "ansatt", "laerer", "opettaja", "opettajan"),
        *("tyontekija", "tyontekijan"),
    )
)
_PERSON_WORDS = frozenset(
    (
        *("user", "users", "person", "persons", "psn", "individual", "member", "benutzer", "utilisateur", "usuario"),
        *("utente", "gebruiker", "utilizador", "uzytkownik", "uzivatel", "anvandare", "bruger", "bruker", "kayttaja"),
        *("henkilo", "henkilon", "osoba", "osoby", "persona", "pessoa"),
    )
)
_WHO = STUDENT_WORDS | STAFF_WORDS | _PERSON_WORDS
_LINKS = frozenset(
    (
        *("the", "of", "s", "der", "des", "die", "das", "du", "de", "la", "le", "les", "l", "d", "del", "della"),
        *("dell", "di", "da", "do", "dos", "el", "en", "i", "y", "e", "et", "und", "and", "van", "het", "a", "u"),
        *("current", "cur", "primary", "main", "official", "actual", "stammdaten"),
    )
)
_LEGAL = frozenset(("legal", "amtlicher", "amtlich", "etat", "civil"))
_USUAL = frozenset(
    (
        *("preferred", "pref", "usual", "known", "chosen", "nick", "nickname", "alias", "rufname", "roepnaam", "usage"),
        *(
            "usuel",
            "usuelle",
            "naissance",
            "birth",
            "tilltalsnamn",
            "kutsumanimi",
            "kaldenavn",
            "preferito",
            "preferido",
            "informal",
        ),
    )
)
# Single words that mean the first name that the person goes by.
_USUAL_FIRST_NAMES = frozenset(("rufname", "roepnaam", "tilltalsnamn", "kutsumanimi", "kaldenavn", "nickname"))
_OTHER_PEOPLE = frozenset(
    (
        *("parent", "parents", "guardian", "guardians", "contact", "contacts", "mother", "father", "emergency"),
        *("relative", "relation", "relationship", "homeroom", "advisor", "adviser", "counselor", "counsellor"),
        *("physician", "doctor", "sibling", "carer", "mentor", "tutor", "tutors", "tutora", "coach", "kin"),
        *("pcontact", "mum", "mom", "dad", "household", "billing", "payer", "spouse", "partner", "dean"),
        *("eltern", "elternteil", "erziehungsberechtigte", "erziehungsberechtigter", "sorgeberechtigte", "mutter"),
        *("vater", "notfall", "klassenlehrer", "klassenleitung", "klassenleiter", "tutorin", "ansprechpartner"),
        *("responsable", "resp", "representant", "mere", "pere", "tuteur", "padre", "madre", "acudiente"),
        *("genitore", "genitori", "tutore", "ouder", "ouders", "verzorger", "moeder", "vader", "voogd", "mae", "pai"),
        *("encarregado", "educacao", "rodzic", "rodzica", "opiekun", "opiekuna", "matka", "matki", "ojciec", "ojca"),
        *("wychowawca", "rodic", "rodice", "zakonny", "zastupce", "otec", "tridni", "vardnadshavare", "malsman"),
        *("foralder", "mamma", "pappa", "kontaktlarer", "foresatt", "foresatte", "foraelder", "vaerge", "mor", "far"),
        *("huoltaja", "huoltajan", "aiti", "isa", "ryhmanohjaaja", "kontakt", "yhteyshenkilo"),
    )
)
_PRIVATE = frozenset(
    (
        *("home", "private", "personal", "secondary", "other", "alternate", "alternative", "recovery", "privat"),
        *("private", "prive", "perso", "personnel", "personnelle", "personale", "privato", "particular", "prywatny"),
        *("soukromy", "privee", "hjemme", "oma", "external", "additional", "backup"),
    )
)
_LETTERS = str.maketrans({"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "æ": "ae", "Æ": "Ae", "œ": "oe"})
_NOTE = re.compile(r"\[[^\]]*\]|\([^)]*\)")  # Google writes "First Name [Required]"
_YEARS = re.compile(
    r"(?<!\d)(?P<sy>(?<![a-z])SY *)?(?P<first>(?:19|20)?\d\d)(?: ?[-/\u2013] ?(?P<second>(?:20)?\d\d))?(?!\d)",
    re.IGNORECASE,
)
_FIRST_SHORT_YEAR = 20  # 20-21 is a school year, 11-12 are grades
_NEW_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)")
_WORD = re.compile(r"[^\W_]+|#")
_MIN_PREFIX = 4  # shorter words begin too many others


@dataclass(frozen=True)
class HeaderWords:
    """`forms` are the ways to look the header up, the most literal first. `family` is "", "legal" or "usual".

    `without_links` is the name without its little words ("of", "de") and without "legal" or "preferred".
    """

    words: tuple[str, ...]
    forms: tuple[str, ...]
    family: str
    without_links: str

    @functools.cached_property
    def who(self) -> frozenset[str]:
        """The words for the person of the row."""
        return frozenset(self.words) & _WHO | {
            word for word in _WHO if len(word) >= _MIN_PREFIX <= len(self.joined) and self.joined.startswith(word)
        }

    @functools.cached_property
    def joined(self) -> str:
        """The words without blanks."""
        return "".join(self.words)

    @functools.cached_property
    def is_of_another(self) -> bool:
        """True if the column is about a parent, a contact or another person."""
        return bool(frozenset(self.words) & _OTHER_PEOPLE) or any(
            len(word) > _MIN_PREFIX and self.joined.startswith(word) for word in _OTHER_PEOPLE
        )

    @property
    def is_private(self) -> bool:
        """True for a second or private address."""
        return bool(frozenset(self.words) & _PRIVATE) or self.words[-1:] in (("2",), ("3",), ("02",))


def names_school_year(header: str) -> bool:
    """Return True for a header such as "Grade 2026-27": next year the column has another name."""
    return any(map(_is_school_year, _YEARS.finditer(header)))


def _is_school_year(years: re.Match[str]) -> bool:
    """Return True for SY2026, and for two years in a row: 2026-27, 26/27. One year may also be a number of a room."""
    first, second = years["first"], years["second"]
    if second is None:
        return years["sy"] is not None
    may_be_grades = int(first) < _FIRST_SHORT_YEAR and years["sy"] is None
    if may_be_grades or len(second) > len(first):
        return False
    return str(int(first) + 1)[-len(second) :] == second


def fold(text: str) -> str:
    """Return a text without accents, in ASCII where the letters have a plain form: é is e, ø is o, ß is ss."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_LETTERS).replace("ß", "ss"))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


@functools.lru_cache(maxsize=4096)
def words_of(header: str) -> HeaderWords:
    """Return the words of a header: `STU_LEGAL_FIRST`, `student.firstName` and "First Name [Required]" have several."""
    no_years = _YEARS.sub(lambda years: " " if _is_school_year(years) else years[0], _NOTE.sub(" ", header))
    text = _NEW_WORD.sub(" ", fold(no_years))
    words = tuple(_WORD.findall(text.lower()))
    family = "usual" if _USUAL & {*words} else "legal" if _LEGAL & {*words} else ""
    own = [word for word in words if word not in _WHO | _LINKS]
    if family == "usual" and len(own) == 1 and own[0] in _USUAL_FIRST_NAMES:
        words = (*words, "first")
    plain = [word for word in words if word not in _LEGAL | _USUAL]
    plain = plain[:-1] if len(plain) > 1 and plain[-1] in ("1", "01") else plain
    bare = [word for word in plain if word not in _LINKS]
    core = [word for word in bare if word not in _WHO]
    joined = "".join(bare)
    forms = [*("".join(each) for each in (words, plain, bare, core)), *_without_who(joined)]
    table, _, last = _NOTE.sub(" ", header).rpartition(".")
    if table and last.strip():
        forms += words_of(last).forms
    known = tuple(dict.fromkeys(filter(None, forms)))
    return HeaderWords(words, known, family, joined)


def spellings(name: str) -> tuple[str, ...]:
    """Return the forms of a synonym: ä is also written ae, å aa, ø oe."""
    doubled = name.lower()
    for letter, two in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("å", "aa"), ("ø", "oe")):
        doubled = doubled.replace(letter, two)
    return tuple(dict.fromkeys("".join(_WORD.findall(fold(_NOTE.sub(" ", each)).lower())) for each in (name, doubled)))


def _without_who(joined: str) -> tuple[str, ...]:
    """Return what follows or precedes a person's word that is written without a blank: schuelervorname, emailalunno."""
    found = [word for word in _WHO if len(word) >= _MIN_PREFIX]
    after = (joined.removeprefix(word) for word in found if joined.startswith(word))
    before = (joined.removesuffix(word) for word in found if joined.endswith(word))
    return tuple(sorted((each for each in (*after, *before) if each), key=len))
