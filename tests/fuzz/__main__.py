"""`make fuzz`: made-up and damaged inputs from bytes to plan, for some minutes; same seed, same inputs."""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from random import Random

from fuzz.inputs import FILES, Input, from_cases, make_input
from fuzz.invariants import examine
from fuzz.smaller import made_smaller

MOST_MEMORY = 512 << 20
ONE_IN = 12  # is examined thoroughly, too
MOST_FINDS = 20
MOST_PRINTED = 1000  # bytes of a find; its file has them all


def main() -> int:
    """0 without finds and within the memory; 1 otherwise. Each find is a file in `--finds`."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--finds", type=Path, default=Path("build/fuzz"))
    parser.add_argument("--again", type=Path, help="a find: examine nothing but this")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sis-sync-fuzz-home-") as home:
        os.environ["XDG_STATE_HOME"] = home  # the logs of bugs that the command line writes
        if options.again:
            print(examine(_kept(options.again), thoroughly=True))
            return 0
        seed = Random().randrange(1 << 32) if options.seed is None else options.seed
        print(f"seed {seed}", flush=True)
        outcomes, finds = _run(seed, options.minutes * 60, options.finds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    told = ", ".join(f"{name} {count:,}" for name, count in sorted(outcomes.items()))
    print(f"executions {sum(outcomes.values()):,} ({told}); finds {finds}; peak {peak / (1 << 20):.0f} MB")
    if peak >= MOST_MEMORY:
        print(f"That is more memory than {MOST_MEMORY >> 20} MB.")
    return int(finds > 0 or peak >= MOST_MEMORY)


def _run(seed: int, seconds: float, folder: Path) -> tuple[Counter[str], int]:
    random, cases = Random(seed), from_cases()
    outcomes: Counter[str] = Counter()
    known: set[str] = set()
    end = time.monotonic() + seconds
    while time.monotonic() < end and len(known) < MOST_FINDS:
        made, thoroughly = make_input(random, cases), random.randrange(ONE_IN) == 0
        outcome, fault = _outcome(made, thoroughly=thoroughly)
        outcomes[outcome] += 1
        if fault and fault not in known:
            known.add(fault)
            _keep_smaller(made, fault, folder / f"{seed}-{len(known)}.json")
    return outcomes, len(known)


def _outcome(made: Input, *, thoroughly: bool) -> tuple[str, str]:
    """What became of it, and where it went wrong: empty if it did not."""
    try:
        return examine(made, thoroughly=thoroughly), ""
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        what = str(error) if isinstance(error, AssertionError) else f"{Path(place.filename).name} {place.name}"
        return "fault", f"{type(error).__name__}: {what}"


def _keep_smaller(made: Input, fault: str, path: Path) -> None:
    """Store and print the find as it is, because making it smaller takes minutes. Then do so again, smaller."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _keep(made, fault, path)
    small = made_smaller(made, lambda other: _outcome(other, thoroughly=True)[1] == fault)
    if small != made:
        _keep(small, fault, path)


def _keep(made: Input, fault: str, path: Path) -> None:
    files = {name: getattr(made, name).decode("latin-1") for name in FILES}
    path.write_text(json.dumps({**asdict(made), **files, "fault": fault}, indent=1), encoding="utf-8")
    begins = f"{len(made.roster):,} bytes that begin " if len(made.roster) > MOST_PRINTED else ""
    print(f"{path}: {fault}\n  mode {made.mode}, mapping {made.mapping!r}")
    print(f"  {begins}{made.roster[:MOST_PRINTED]!r}", flush=True)


def _kept(path: Path) -> Input:
    kept = json.loads(path.read_text(encoding="utf-8"))
    return Input(**{name: kept[name].encode("latin-1") for name in FILES}, mode=kept["mode"])


if __name__ == "__main__":
    sys.exit(main())
