"""Reading options: how to read a file, as far as its bytes alone do not tell.

They travel with the file, always as the same words: the value of `mapper.NAME.encoding` is also the value of the flag
`--encoding`, of `client.file.encoding`, of the field on the upload page and of the API parameter.
"""

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sis_sync.core.errors import ConfigurationError
from sis_sync.core.fields import FALLBACK_ENCODING

DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
NO_HEADER = 0
BACKSLASH = "backslash"
MAX_OPTION_CHARACTERS = 4_000
MAX_FOOTERS = 20
_MAX_HEADER_LINE = 1_000
_OTHER_WORDS = {"\\t": "tab", "pipe": "bar"}
_ATTRIBUTES = {"encoding_fallback": "fallback", "header": "header_line", "footer": "footers"}
# Python decodes these too, but no school exports text in them.
_NO_ENCODINGS = frozenset(
    ("idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7", "utf-32", "utf-32-le", "utf-32-be")
)


@dataclass(frozen=True)
class ReadingOptions:
    """How to read a file. `read` detects what is empty or None.

    `encoding` is binding, `fallback` is for a file that is neither UTF-8 nor UTF-16. `delimiter` is a word of
    DELIMITERS. `header_line` is the physical line of the header, or NO_HEADER; then `columns` names the columns by
    position, and an empty name is a column that no one needs. `escape` is BACKSLASH or empty. `footers` are patterns of
    lines that are not people.
    """

    encoding: str = ""
    fallback: str = ""
    delimiter: str = ""
    header_line: int | None = None
    columns: tuple[str, ...] = ()
    escape: str = ""
    footers: tuple[str, ...] = ()

    @property
    def fallback_encoding(self) -> str:
        """The encoding of a file that is neither UTF-8 nor UTF-16."""
        return self.fallback or FALLBACK_ENCODING

    @property
    def has_no_header(self) -> bool:
        """True if someone said that the file has no header row."""
        return self.header_line == NO_HEADER

    def over(self, other: "ReadingOptions") -> "ReadingOptions":
        """Return these options, completed by those of `other`."""
        said = {name: value for name, value in vars(self).items() if value not in ("", (), None)}
        merged = replace(other, **said)
        return merged if merged.has_no_header else replace(merged, columns=())

    def refuse_unnamed_columns(self) -> None:
        """Raise ConfigurationError if the file has no header row and nothing names its columns."""
        if self.has_no_header and not self.columns:
            raise ConfigurationError(
                "header=none says that the file has no header row, but nothing names its columns.",
                fix="Add the line mapper.NAME.columns=NAME | NAME | NAME, with one name for each column of the file.",
            )

    def as_words(self) -> dict[str, str]:
        """Return the options as words, from which `options_of` makes the same options."""
        header = "" if self.header_line is None else "none" if self.has_no_header else str(self.header_line)
        words = {
            "encoding": self.encoding,
            "encoding_fallback": self.fallback,
            "delimiter": self.delimiter,
            "header": header,
            "columns": " | ".join(self.columns),
            "escape": self.escape,
            "footer": " | ".join(self.footers),
        }
        return {name: word for name, word in words.items() if word}


NOTHING_SAID = ReadingOptions()
MAPPING_OPTIONS: tuple[str, ...] = ("encoding", "delimiter", "header", "columns", "escape", "footer")
OPTION_WORDS: tuple[str, ...] = (*MAPPING_OPTIONS, "encoding_fallback")


def options_of(words: Mapping[str, str], *, called: Callable[[str], str] = str) -> ReadingOptions:
    """Return the options in these words, whose keys are OPTION_WORDS. An empty word says nothing.

    `called` returns what the person calls an option, such as `--encoding`, for the message of the ConfigurationError.
    """
    said = {name: word if word in DELIMITERS else word.strip() for name, word in words.items()}
    values: dict[str, Any] = {}
    for name, word in said.items():
        try:
            if len(word) > MAX_OPTION_CHARACTERS or not (word.isprintable() or word in DELIMITERS):
                raise _WrongWord("is not one line of plain text", "Write a shorter text on one line.")
            if word:
                values[_ATTRIBUTES.get(name, name)] = _value_of(name, word)
        except _WrongWord as wrong:
            raise ConfigurationError(f'{called(name)}: "{word[:40]}" {wrong.problem}.', fix=wrong.fix) from None
    if "columns" in values and values.setdefault("header_line", NO_HEADER) != NO_HEADER:
        problem = f"{called('columns')} names the columns of a file without a header row, but {called('header')} says"
        raise ConfigurationError(f"{problem} that there is one.", fix="Leave out one of the two, or write header=none.")
    return ReadingOptions(**values)


def delimiter_called(word: str) -> str:
    """Return the delimiter with this name: a comma for `comma`."""
    return next(character for character, name in DELIMITERS.items() if name == word)


def python_encoding(name: str) -> str:
    """Return Python's own name of an encoding: `cp1250` for `windows-1250`. Raise LookupError if there is none."""
    return codecs.lookup(name).name.replace("_", "-")


class _WrongWord(Exception):
    """A word that is not a value of its option."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.problem, self.fix = problem, fix


def _value_of(name: str, word: str) -> Any:
    """Return the value of an option. Raise _WrongWord if the word is none."""
    match name:
        case "encoding" | "encoding_fallback":
            return _encoding(word)
        case "header":
            return _header_line(word)
        case "delimiter":
            found = DELIMITERS.get(word) or _OTHER_WORDS.get(word.lower(), word.lower())
            if found not in DELIMITERS.values():
                raise _WrongWord("is not a delimiter", f"Write {', '.join(DELIMITERS.values())}.")
            return found
        case "escape":
            if word.lower() != BACKSLASH:
                raise _WrongWord("is not a way to write a quotation mark", f"Write {BACKSLASH}, or leave it out.")
            return BACKSLASH
        case "columns":
            names = tuple(each.strip() for each in word.split("|"))
            if not any(names):
                raise _WrongWord("names no column", "Write the names of all columns in order: A | B | C.")
            return names
        case _:
            return _footers(word)


def _footers(word: str) -> tuple[str, ...]:
    footers = tuple(each.strip() for each in re.split(r"\s\|\s", word) if each.strip())
    if len(footers) > MAX_FOOTERS:
        raise _WrongWord(f"and so on has more than {MAX_FOOTERS} lines", "Leave some out, or use *.")
    if any(set(footer) <= {"*", " "} for footer in footers):
        raise _WrongWord("would take every person for a footer", "Write a text that only the footer has.")
    return footers


def _encoding(word: str) -> str:
    try:
        "a".encode(word)  # raises for a name such as base64, which is no encoding of text
        is_known = python_encoding(word) not in _NO_ENCODINGS
    except (LookupError, ValueError, TypeError):
        is_known = False
    if not is_known:
        fix = "Write utf-8, windows-1252, windows-1250 or iso-8859-2, for example."
        raise _WrongWord("is not a known encoding", fix)
    return word.lower()


def _header_line(word: str) -> int:
    if word.lower() == "none":
        return NO_HEADER
    if not re.fullmatch(r"[0-9]{1,4}", word) or not 1 <= int(word) <= _MAX_HEADER_LINE:
        fix = f"Write a number from 1 to {_MAX_HEADER_LINE:,}, or none if the file has no header row."
        raise _WrongWord("is not the number of a line", fix)
    return int(word)
