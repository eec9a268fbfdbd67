"""Damage to the bytes of a file, as accidents cause it."""

from collections.abc import Callable
from random import Random

from fuzz.values import NASTY

from sis_sync.steps.read.scan import CHUNK_BYTES

MOST_BYTES = 2 * CHUNK_BYTES


def damaged(random: Random, data: bytes, *, keeps_first_line: bool = False) -> bytes:
    """The same bytes with one accident, behind the first line if that is kept; at most two parts of the reader."""
    start = data.find(b"\n") + 1 if keeps_first_line else 0
    return data[:start] + random.choice(ACCIDENTS)(random, data[start:])[:MOST_BYTES]


def _insert(random: Random, data: bytes) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + random.choice(NASTY) * random.choice((1, 1, 1, 2, 50, 5000)) + data[place:]


def _cut_out(random: Random, data: bytes) -> bytes:
    start = random.randrange(len(data) + 1)
    return data[:start] + data[start + random.choice((1, 2, 10, 1000)) :]


def _cut_off(random: Random, data: bytes) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _repeat(random: Random, data: bytes) -> bytes:
    start = random.randrange(len(data) + 1)
    end = start + random.choice((1, 20, 100))
    return data[:end] + data[start:end] * random.choice((1, 3, 100)) + data[end:]


def _fill_a_part(random: Random, data: bytes) -> bytes:
    """Long enough that the reader's part ends somewhere inside, at any offset."""
    line = (data[: data.find(b"\n") + 1] or b"\n").rjust(
        20, b"x"
    )  # not too many records: the plan of each is held here
    return line * ((CHUNK_BYTES - random.randrange(300)) // len(line)) + data


def _flip(random: Random, data: bytes) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + random.randbytes(1) + data[place + 1 :]


def _shuffle_lines(random: Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    random.shuffle(lines)
    return b"\n".join(lines)


def _report(random: Random, data: bytes) -> bytes:
    """What a report or a spreadsheet makes of a file."""
    lines = data.splitlines()
    frame = [b"Total records: %d" % len(lines), b"-----,---", b"End of report", b",,,,", b'"",""', b"x,,,", b"Page 1"]
    match random.randrange(5):
        case 0:
            lines[random.choice((1, len(lines))) : 0] = random.choices(frame, k=random.randrange(1, 8))
        case 1:
            return data.replace(b",", random.choice((b'", "', b'" ,"', b',="', b", ")))
        case 2:
            return random.choice((b"\r", b"\r\r\n", b"\n\r")).join(lines) + b"\r"
        case 3:
            lines = [line + b"," * random.randrange(3) for line in lines]
        case _:
            lines = [line.rsplit(b",", random.randrange(3))[0] for line in lines]
    return b"\n".join(lines) + b"\n"


def _join(_random: Random, data: bytes) -> bytes:
    return data + data


ACCIDENTS: tuple[Callable[[Random, bytes], bytes], ...] = (
    *(_insert,) * 8,
    *(_cut_out, _cut_out, _cut_off, _repeat, _repeat),
    *(_flip, _flip, _flip, _shuffle_lines, _shuffle_lines),
    *(_join, _fill_a_part, _report, _report, _report),
)
