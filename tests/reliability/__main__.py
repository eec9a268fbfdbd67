"""`make reliability`: tries to break what must hold, with real processes on both databases, and prints a table.

Tries without a violation are kept in build/reliability.json, so that a run that was cut off goes on. After a change of
the source everything is tried again.
"""

import argparse
import hashlib
import json
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from reliability import bombs, faults_of_place, kills, stolen_key
from reliability.rows import BOTH, Outcome, Row, Try
from reliability.stage import Stages

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "build" / "reliability.json"
ROWS: tuple[Row, ...] = (
    stolen_key.LIMITS,
    kills.APPLY,
    kills.IMPORT,
    kills.DELIVERY,
    faults_of_place.PLACE,
    kills.FROZEN,
    faults_of_place.READERS,
    stolen_key.LEARNS,
    bombs.ROW,
    stolen_key.CALLS,
)


def main() -> int:
    """Print a line for each row and database. Return 1 if there is a violation."""
    parser = argparse.ArgumentParser(prog="make reliability", description=__doc__)
    parser.add_argument("--only", metavar="NAME", help=f"one of {', '.join(row.name for row in ROWS)}")
    parser.add_argument("--try", dest="tries", default="", metavar="NAME", help="the tries with this in their name")
    parser.add_argument("--db", choices=BOTH, help="one database; both if left out")
    options = parser.parse_args()
    rows = [row for row in ROWS if options.only in (None, row.name)]
    if not rows:
        parser.error(f'there is no row "{options.only}"')
    violations = 0
    print("| Property | Database | Tries | Faults | Violations |\n|---|---|---|---|---|", flush=True)
    for row in rows:
        for database in row.databases if options.db is None else [options.db]:
            found = dict(tried(row, database, options.tries))
            bad = [f"{name}: {text}" for name, each in found.items() for text in each.violations]
            violations += len(bad)
            faults = sum(each.faults for each in found.values())
            print(f"| {row.claim} | {database} | {len(found)} | {faults} | {len(bad)} |", flush=True)
            for text in bad:
                print(f"  {row.name}, {database}, {text}", flush=True)
    return int(violations > 0)


def tried(row: Row, database: str, part: str = "", *, kept: Path = KEPT) -> Iterator[tuple[str, Outcome]]:
    """Yield the outcome of each try with `part` in its name. Outcomes that are kept are not tried again."""
    source = source_digest()
    with Stages(database) as stages:
        for name, run in row.tries.items():
            key = f"{source} {row.name} {database} {name}"
            if part not in name:
                continue
            known = read(kept)
            found = Outcome(known[key]) if key in known else outcome_of(run, stages)
            if not found.violations:  # what was wrong is tried again
                write(kept, {**known, key: found.faults})
            yield name, found


def outcome_of(run: Try, stages: Stages) -> Outcome:
    """Return the outcome of a try. A try that cannot go on is a violation too."""
    try:
        return run(stages)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return Outcome(0, (f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})",))


def source_digest() -> str:
    """Return a digest of the source and of this suite."""
    digest = hashlib.sha256()
    for folder in (ROOT / "src", Path(__file__).parent):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix in (".py", ".sql", ".html"):
                digest.update(f"{path}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def read(kept: Path) -> dict[str, int]:
    """Return what is kept: the number of faults of each try without a violation."""
    content: dict[str, int] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    return content


def write(kept: Path, content: dict[str, int]) -> None:
    """Keep it."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    draft = kept.with_suffix(".part")
    draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
    draft.replace(kept)


if __name__ == "__main__":
    sys.exit(main())
