"""How a finding is said: the one template, and how a value of the file is shown. The engine uses the same parts.

A value may hold anything: what could move the cursor, or turn the text around, is shown as an escape.
"""

import re
import unicodedata
from dataclasses import dataclass

MOST_SHOWN = 80  # characters of a value
LEFT_ALONE = "This account is left as it is."
LEFT_ALONE_ALL = "These accounts are left as they are."
_HOLE = re.compile(r"\{(value|other)\}")
_UNSHOWN = frozenset({"Cc", "Cf", "Zl", "Zp", "Co", "Cs"})


@dataclass(frozen=True)
class Template:
    """A message in pieces: `head`, the value if `says_value`, `middle`, the other if `says_other`, `tail`."""

    head: str
    says_value: bool
    middle: str
    says_other: bool
    tail: str


def template_of(message: str) -> Template:
    """The pieces of a code's message, in which `{value}` stands once at most, and `{other}` once at most behind it."""
    head, value, rest = message.partition("{value}")
    if not value:
        head, other, tail = message.partition("{other}")
        return Template(head, says_value=False, middle="", says_other=bool(other), tail=tail)
    middle, other, tail = rest.partition("{other}")
    return Template(head, says_value=True, middle=middle, says_other=bool(other), tail=tail)


def fill(message: str, *, value: str = "", other: str = "") -> str:
    """The message about this value. What stands in the value is never taken for a hole of the message."""
    found = {"value": shown(value), "other": shown(other)}
    return _HOLE.sub(lambda hole: found[hole[1]], message)


def shown(value: str) -> str:
    """The value as a terminal or a page may show it: shortened, control and format characters as escapes."""
    short = value if len(value) <= MOST_SHOWN else f"{value[: MOST_SHOWN - 3]}..."
    return short if short.isascii() and short.isprintable() else "".join(map(_escaped, short))


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04X}" if unicodedata.category(character) in _UNSHOWN else character
