"""Row about files that are small to send and large to handle: each ends, with bounded memory, and harms no one else."""

import gzip
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from reliability.people import file_of, newcomers
from reliability.rows import Outcome, Row, outcome
from reliability.stage import Sender, Stage, Stages
from reliability.tactics import Sent

MEMORY_MB = 1024  # of web and worker each: twice what the engine may use
HEADER = file_of([])
LINE = "A,,B,{0}@e.example,ID{0},N1,Student,,1,Active\n"


def lines(number: int) -> str:
    return HEADER + "".join(map(LINE.format, range(number)))


def packed(text: str | bytes) -> bytes:
    return gzip.compress(text.encode() if isinstance(text, str) else text, 6)


def many_letters() -> str:
    """Return a file of 20,000 rows with 100,000 different letters."""
    letters = "".join(filter(str.isalpha, map(chr, range(0x3400, 0x2A000))))
    names = (letters[start : start + 90] for start in range(0, 100_000, 5))
    return HEADER + "".join(f"{name},,B,,ID{n},N1,Student,,1,Active\n" for n, name in enumerate(names))


BOMBS: dict[str, Callable[[], bytes]] = {
    "40 MB of empty lines": lambda: packed(HEADER + "\n" * (40 << 20)),
    "gzip of 200 MB": lambda: packed(b"A" * (200 << 20)),
    "gzip in gzip": lambda: packed(packed(lines(10))),
    "gzip that was cut": lambda: packed(lines(5000))[:-300],
    "50,000 columns": lambda: (HEADER.strip() + "".join(f",x{n}" for n in range(50_000)) + "\n").encode(),
    "a row of 3,000,000 commas": lambda: (HEADER + "," * 3_000_000 + "\n" + LINE.format(1)).encode(),
    "a cell of 30 MB": lambda: packed(HEADER + "A" * (30 << 20)),
    "a cell of 30 MB in another encoding": lambda: packed(HEADER.encode() + b"\xfc " + b"A" * (30 << 20)),
    "an open quote before 20 MB": lambda: packed(HEADER + '"' + "A,B,C\n" * (3 << 20)),
    "a header of 20 MB": lambda: packed('first_name,"' + '\n","' * (5 << 20)),
    "a record of 20 MB": lambda: packed(HEADER + 'Ana,"' + '\n","' * (5 << 20) + '"\n'),
    "20 MB of lines in cells": lambda: packed(HEADER + ('"' + "\n" * 30_000 + '"' + ",x" * 9 + "\n") * 700),
    "20 MB of quotes": lambda: packed(HEADER + '"' * (20 << 20)),
    "100,000 rows that fail": lambda: packed(HEADER + ",,,,,,,,,\n" * 100_000),
    "one ID 100,000 times": lambda: packed(
        HEADER + "".join(LINE.format(n).replace(f"ID{n}", "ID") for n in range(100_000))
    ),
}
IN_ASCII = "mapper.m.template.email={first_name:ascii}.{custom_id}@e.example\n"
MAPPINGS = {
    "template of 100 KB": "mapper.m.template.middle_name=" + "{first_name}" * 8000 + "\n",
    "pad to 10^12": "mapper.m.pad.custom_id=1000000000000\n",
    "60,000 lines": "".join(f"mapper.m.value.status.v{number}=Active\n" for number in range(60_000)),
}


def long_cells() -> str:
    """Return a file of 48 MB, as large as one that no one has approved may be, almost all of it in one column."""
    return HEADER.strip() + ",big\n" + "".join(f"{LINE.format(n).strip()},{'y' * 30_000}\n" for n in range(1600))


OF_LONG_CELLS = {
    "a template of long cells": "mapper.m.template.middle_name=" + "{big}" * 20 + "\n",
    "words on long cells": "mapper.m.template.middle_name=" + "{big:upper:lower:letters:upper:lower}" * 20 + "\n",
    "patterns on long cells": "mapper.m.skip.big=" + " | ".join(f"{chr(0xE0 + n % 30)}{n}*" for n in range(200)) + "\n",
}


@contextmanager
def watched(stage: Stage) -> Iterator[dict[str, int]]:
    """Yield the most memory, in MB, that web and worker have had so far."""
    peak, is_over = {"web": 0, "work": 0}, threading.Event()

    def look() -> None:
        while not is_over.wait(0.2):
            for module in peak:
                peak[module] = max(peak[module], _memory_mb(stage.child(module)))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        is_over.set()
        thread.join()


def _memory_mb(pid: int) -> int:
    try:
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    except OSError:
        return 0
    return int(found[1]) // 1024 if found else 0


def bomb(stages: Stages, *, make: Callable[[], bytes], mapping: str = "") -> Outcome:
    """Send it. Its run ends, and another school system's file is applied."""
    stage = stages.shared()
    mine, other = stage.make_systems({"people": False}, {"people": False})
    with watched(stage) as peak:
        state = Sender(stage, mine["key"]).sync(Sent("partial", "", mapping), content=make())["state"]
        neighbour = Sender(stage, other["key"]).sync(Sent("partial", file_of(newcomers(3))))["state"]
    log = stage.log.read_text(encoding="utf-8", errors="replace")
    stage.log.write_text("", encoding="utf-8")
    return outcome(
        1,
        **{f"it_ends_(state_{state})": state in ("applied", "held", "refused") or state.startswith("HTTP 4")},
        web_stays_small=peak["web"] < MEMORY_MB,
        worker_stays_small=peak["work"] < MEMORY_MB,
        another_school_system_goes_on=neighbour == "applied",
        pages_answer=stage.answers(),
        no_error_is_logged="Traceback" not in log,
    )


ROW = Row(
    "bombs",
    "A file that is small to send and large to handle ends, with bounded memory",
    {name: partial(bomb, make=make) for name, make in BOMBS.items()}
    | {name: partial(bomb, make=lambda: lines(20_000).encode(), mapping=text) for name, text in MAPPINGS.items()}
    | {name: partial(bomb, make=lambda: packed(long_cells()), mapping=text) for name, text in OF_LONG_CELLS.items()}
    | {"100,000 letters in ASCII": partial(bomb, make=lambda: packed(many_letters()), mapping=IN_ASCII)},
)
