"""The text of a footer: the patterns of a mapping, dashes, and the number of records that a line says."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_ROWS = "{rows}"
_ANY_NUMBER = r"(\d[\d.,'\u2019 \u00a0\u202f]*)"
# `re` compiles these patterns on first use: few files have a footer, and all take longer than reading a small file.
_DASHES = r"(?:[\s+|\"]*[-=_*~\u2010-\u2015\u2500\u2501\u2550]){2,}[\s+|\"]*"
# A number with or without separators of thousands, or something longer: a date, a time, a version.
_NUMBERS = r"\d{1,3}(?:[.,'\u2019 \u00a0\u202f]\d{3})+(?![\d.,:/-]*\d)|\d+(?:[.,:/-]\d+)*"
_IS_COUNT = r"\d{1,3}(?:[.,'\u2019 \u00a0\u202f]\d{3})+|\d+"
# Words for records, in the languages of the systems that are known.
_RECORDS = (
    *("totals?", "counts?", "records?", "rows?", "lines?", "entries", "datensätze", "zeilen", "anzahl", "summe"),
    *("gesamt(?:zahl)?", "insgesamt", "lignes?", "enregistrements?", "nombre", "registros?", "filas?", "rijen"),
    *("aantal", "totaal", "righe", "totale", "linhas?", "registos?", "antal", "antall", "rader", "rækker", "i alt"),
    *("wierszy", "rekordów", "razem", "liczba", "rivejä", "yhteensä", "počet", "celkem", "záznamů"),
    *("spolu", "záznamov", "összesen", "sorok", "rekordok", "toplam", "înregistrări", "rânduri", "ukupno", "zapisa"),
    *("kokku", "kopā", "iš viso", "σύνολο", "εγγραφές", "всего", "итого", "записей", "строк", "усього", "всього"),
)
# Words that titles have too: they count only with `:` or `=` before the number, or after it (29 Einträge).
_ALSO_IN_TITLES = (
    *("enroll?ments?", "headcounts?", "rowcount", "einträge", "gesamtanzahl", "schülerzahl", "effectifs?", "totalt"),
    *("ogółem", "tanulók száma", "létszám", "записи"),
)
_RECORDS_OF_ASIA = r"合[計计]|[總总][計计数]|総数|人数|共\s*\d|\d\s*(?:件|条|條|筆|笔|行|名|건|명|행)|합계|총"
_PEOPLE = (
    *("students?", "pupils?", "people", "persons?", "users?", "staff", "employees?", "teachers?", "members?"),
    *("schüler(?:innen)?", "personen", "élèves?", "alumnos?", "alunos?", "alunni", "leerlingen", "elever", "uczniów"),
    *("learners?", "children", "lehrer(?:innen)?", "lehrkräfte", "mitarbeiter(?:innen)?", "enseignants?"),
    *("docentes", "docenti", "docenten", "medewerkers", "lärare", "anställda", "oppilaita", "oppilasta", "opettajaa"),
    *("žáků", "žiakov", "učitelů", "nauczycieli", "tanulók?"),
)
# Words for what else a number in a footer may be.
_OTHERS = (
    *("pages?", "seiten?", "páginas?", "paginas?", "pagine", "sidor", "sider", "stran", "stron", "oldal", "sayfa"),
    *("sivua", "страниц", "ページ", "页", "頁", "쪽", "years?", "jahre?", "grades?", "class(?:es)?", "klassen?"),
    *("schools?", "schulen?", "écoles?", "versions?", "dates?", "datum", "sum"),
)
# Words for some of the people, next to the word for them or to the number: rows skipped, new students, total boys.
_KINDS = ("new", "inactive", "boys", "girls", "males?", "females?")
_PARTS = (
    *("skipped", "rejected", "deleted", "updated", "inserted", "changed", "failed", "invalid", "duplicates?", "absent"),
    *("(?<!on )time", "hours?", "days?", "minutes?", "credits?", "gpa", "fees?", "amount", "balance", "points?"),
    *("errors?", "warnings?", *_KINDS),
)
# When the report was made: its words say nothing about the number next to them.
_STAMP = (
    r"(?i)(?:(?<!\w)(?:date|time|datum|zeit|uhrzeit|fecha|hora|data|ora|heure|le|on|at|stand)\W*)?\d+(?:[./:-]\d+)+"
)
_WORD_ENDS = r"_|(?<=[a-zß-ÿ])(?=[A-Z])"  # RECORD_COUNT, RowCount


def _one_of(words: Sequence[str]) -> str:
    return rf"(?<!\w)(?:{'|'.join(words)})(?!\w)"


_IN_BRACKETS = r"\([^()\d]*\)"  # (new and returning), but not (29 rows skipped)
# Boys and girls are everyone.
_KINDS_TOGETHER = rf"(?i){_one_of(_KINDS)}\s*(?:and|&|\+|/)\s*\w+|(?<!\w)\w+\s*(?:and|&|\+|/)\s*{_one_of(_KINDS)}"
_WHOM = rf"(?:{_one_of((*_RECORDS, *_ALSO_IN_TITLES, *_PEOPLE))}|\d)"
_BETWEEN = r"[\s:=-]*(?:(?:were|was|are|of)\s+)?"
_SAYS_PART = rf"(?i){_WHOM}{_BETWEEN}{_one_of(_PARTS)}|{_one_of(_PARTS)}{_BETWEEN}{_WHOM}"
_SAYS_RECORDS = rf"(?i){_one_of(_RECORDS)}|{_RECORDS_OF_ASIA}"
_SAYS_OTHERS = rf"(?i){_one_of(_OTHERS)}"
_SAYS_PEOPLE = rf"(?i){_one_of(_PEOPLE)}\W*[:=]\W*\d|\d\W*{_one_of(_PEOPLE)}"
_COUNTS = rf"(?i){_one_of(_ALSO_IN_TITLES)}[^\w:=]*[:=]\W*\d|\d\W*{_one_of(_ALSO_IN_TITLES)}"
_YEARS = range(1900, 2101)
_ENDS = r"(?i)\W*(?:end|eof|end of (?:the )?(?:report|file|list|data|export|output)|ende|fin|fine|einde|slut)\W*"


@dataclass(frozen=True)
class FooterPattern:
    """A pattern of a mapping: `*` stands for anything, `{rows}` for the number of records. Case does not count."""

    text: str

    def matches(self, line: str) -> re.Match[str] | None:
        """Return the match of the whole line, or None."""
        parts = re.split(r"(\{rows\}|\*)", self.text)
        made = {_ROWS: _ANY_NUMBER, "*": ".*"}
        return re.fullmatch("".join(made.get(part) or re.escape(part) for part in parts), line, re.IGNORECASE)

    def lines_in(self, lower: bytes) -> Iterator[int]:
        """Yield the offsets of the lines of a text in lower case that the pattern may match."""
        at = lower.find(self.search_text)
        while at != -1:
            yield lower.rfind(b"\n", 0, at) + 1
            line_end = lower.find(b"\n", at)
            at = -1 if line_end == -1 else lower.find(self.search_text, line_end + 1)

    @property
    def search_text(self) -> bytes:
        """The longest part in ASCII, in lower case: a line without it cannot match."""
        parts = re.split(r"\{rows\}|\*|[^\x00-\x7f]+", self.text)
        return max(parts, key=len).lower().encode()


def is_dashes(line: str) -> bool:
    """Return True if the line only rules off: dashes, or signs drawn like them."""
    return re.fullmatch(_DASHES, line) is not None


def says_end(text: str) -> bool:
    """Return True if the text says that the report ends here."""
    return re.fullmatch(_ENDS, text) is not None


def number_in(text: str) -> int | None:
    """Return a whole number, with or without separators of thousands, or None."""
    return int(re.sub(r"\D", "", text)) if re.fullmatch(_IS_COUNT, text.strip()) else None


def count_in(cells: Sequence[str]) -> int | None:
    """Return the number of records that a footer with these filled cells says, or None if it counts none.

    `Total records: 1,208` fills two cells of a file with commas.
    """
    text = re.sub(_WORD_ENDS, " ", " ".join(cells))
    numbers = [number for found in re.findall(_NUMBERS, text) if (number := number_in(found)) is not None]
    if len(numbers) != 1 or _counts_others(text):
        return None
    is_year = numbers[0] in _YEARS and not re.search(r"[:=][^\w:=]*\d", text)
    says = (
        re.search(_SAYS_RECORDS, text)
        or (len(cells) == 1 and re.search(_SAYS_PEOPLE, text))
        or (not is_year and re.search(_COUNTS, re.sub(_WORD_ENDS, " ", ": ".join(cells))))
    )
    return numbers[0] if says else None


def _counts_others(text: str) -> bool:
    """Return True if the number in a footer counts pages and the like, or only some of the people."""
    text = re.sub(_STAMP, " ", text)
    people = re.sub(_KINDS_TOGETHER, " ", re.sub(_IN_BRACKETS, " ", text))
    return bool(re.search(_SAYS_OTHERS, text) or re.search(_SAYS_PART, people))
