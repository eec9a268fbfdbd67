"""File name patterns: which names they match, and whether two of them could ever match the same name."""

import fnmatch
import re

_STAR = "*"
_PART = re.compile(r"\*+|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)


def matches(name: str, pattern: str) -> bool:
    """Whether the name fits, without regard to case: an export's .CSV is a .csv on every system."""
    return fnmatch.fnmatchcase(name.lower(), pattern.lower())


def can_overlap(first: str, second: str) -> bool:
    """Whether some file name fits both patterns: can the ends of both be reached together?"""
    left, right = _PART.findall(first.lower()), _PART.findall(second.lower())
    alphabet = _alphabet(first + second)
    reached = {(0, 0)}
    waiting = [(0, 0)]
    while waiting:
        for step in _steps(*waiting.pop(), left, right, alphabet):
            if step not in reached:
                reached.add(step)
                waiting.append(step)
    return (len(left), len(right)) in reached


def _steps(i: int, j: int, left: list[str], right: list[str], alphabet: frozenset[str]) -> list[tuple[int, int]]:
    """From these positions: a star may match nothing, or take one part of the other side; single parts go together."""
    left_star = i < len(left) and left[i].startswith(_STAR)
    right_star = j < len(right) and right[j].startswith(_STAR)
    steps = []
    if left_star or (right_star and i < len(left)):
        steps.append((i + 1, j))
    if right_star or (left_star and j < len(right)):
        steps.append((i, j + 1))
    if not left_star and not right_star and i < len(left) and j < len(right) and _meet(left[i], right[j], alphabet):
        steps.append((i + 1, j + 1))
    return steps


def _meet(first: str, second: str, alphabet: frozenset[str]) -> bool:
    return any(fnmatch.fnmatchcase(each, first) and fnmatch.fnmatchcase(each, second) for each in alphabet)


def _alphabet(text: str) -> frozenset[str]:
    """Enough characters to tell any two single-character parts apart: those written, and their neighbours."""
    written = set(text.lower()) | {"a", "0"}
    return frozenset(chr(min(max(ord(each) + step, 1), 0x10FFFF)) for each in written for step in (-1, 0, 1))
