"""The wording of messages: the template of a finding, and how values, numbers and shares are shown.

The SQL of the steps fills the same templates. A value may contain any character, so those that could move the cursor
or reverse the text are shown as escapes.
"""

import re
import unicodedata
from dataclasses import dataclass

MOST_SHOWN = 80  # characters of a value
LEFT_ALONE = "This account is left as it is."
LEFT_ALONE_ALL = "These accounts are left as they are."
LEFT_ALONE_SOME = "{known} of these people have accounts, which are left as they are."
_PLACEHOLDER = re.compile(r"\{(value|other)\}")
_UNSHOWN = frozenset({"Cc", "Cf", "Zl", "Zp", "Co", "Cs"})


@dataclass(frozen=True)
class Template:
    """A message in parts: `head`, the value if `says_value`, `middle`, the other if `says_other`, `tail`."""

    head: str
    says_value: bool
    middle: str
    says_other: bool
    tail: str


def template_of(message: str) -> Template:
    """Return the parts of a message that has `{value}` at most once, and `{other}` at most once after it."""
    head, value, rest = message.partition("{value}")
    if not value:
        head, other, tail = message.partition("{other}")
        return Template(head, says_value=False, middle="", says_other=bool(other), tail=tail)
    middle, other, tail = rest.partition("{other}")
    return Template(head, says_value=True, middle=middle, says_other=bool(other), tail=tail)


def fill(message: str, *, value: str = "", other: str = "") -> str:
    """Return the message with both placeholders replaced. Braces inside a value stay as they are."""
    found = {"value": shown(value), "other": shown(other)}
    return _PLACEHOLDER.sub(lambda match: found[match[1]], message)


def shown(value: str) -> str:
    """Return the value, safe for a terminal or a page: shortened, control and format characters escaped."""
    return escaped(cut_off(value, MOST_SHOWN))


def escaped(text: str) -> str:
    """Return the text with control and format characters as escapes, as `escaped` of the engine does."""
    return text if text.isascii() and text.isprintable() else "".join(map(_escaped, text))


def cut_off(text: str, most: int) -> str:
    """Return the text, of which the end is left out if it has more characters than `most`."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04X}" if unicodedata.category(character) in _UNSHOWN else character


class Count(int):
    """A number in a message: `{count}` is 8,586 and `{count:row|rows}` is 8,586 rows, or 1 row."""

    def __format__(self, spec: str) -> str:
        """Return the number with thousands separators, followed by the matching noun if there is one."""
        one, has_noun, many = spec.partition("|")
        return counted(self, one, many) if has_noun else int.__format__(self, ",")


def counted(number: int, one: str, many: str) -> str:
    """Return the number with its noun: 1 person, 8,586 people."""
    return f"{int(number):,} {one if number == 1 else many}"


def percent(part: int, whole: int) -> str:
    """Return the share with one decimal (2.5 %), or "" if the whole is 0.

    A part is never shown as 0 % or 100 %, because a single person who leaves or stays matters.
    """
    if not whole:
        return ""
    said = f"{100 * part / whole:.1f} %"
    if said == "0.0 %" and part:
        return "less than 0.1 %"
    return "more than 99.9 %" if said == "100.0 %" and part < whole else said
