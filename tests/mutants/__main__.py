"""`make mutants`: plants one fault after the other in a copy of the source and runs the tests that must notice it.

Faults that were caught are kept in build/mutants.json, so that a run that was cut off goes on. They are planted again
once the source or their tests have changed.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path

from mutants.faults import ROOT, SOURCE, Fault, all_faults
from mutants.trial import NOTHING, Trial

KEPT = ROOT / "build" / "mutants.json"


def main() -> int:
    """Print a table of the faults. Return 1 if one is not caught."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--only", metavar="NAME", help="plant the faults with this in their name, even if kept")
    options = parser.parse_args()
    faults = [fault for fault in all_faults() if (options.only or "") in fault.name]
    if not faults:
        parser.error(f'no fault has "{options.only}" in its name')
    keys = dict(zip(faults, map(_key_of(), faults), strict=True))
    kept = _kept()
    known = {} if options.only else {fault: kept[key] for fault, key in keys.items() if key in kept}
    with tempfile.TemporaryDirectory(prefix="sis-sync-mutants-") as name:
        trial = Trial(Path(name))
        _check_without_fault(trial, [fault for fault in faults if fault not in known])
        print("| Fault | File | Caught by |\n|---|---|---|", flush=True)
        for fault in faults:
            caught_by = known.get(fault) or trial.caught_by(fault)
            print(f"| {fault.name} | {fault.file} | {caught_by or '**nothing**'} |", flush=True)
            kept[keys[fault]] = caught_by
            _keep(kept)
    missed = [fault.name for fault in faults if kept[keys[fault]] == NOTHING]
    print(f"{len(faults)} faults planted, {len(faults) - len(missed)} caught.")
    if missed:
        print(f"Add a test that fails with: {'; '.join(missed)}.")
    return int(bool(missed))


def _check_without_fault(trial: Trial, faults: list[Fault]) -> None:
    """Exit if a test fails without a fault, because its failure would mean nothing."""
    for database in sorted({fault.database for fault in faults}):
        tests = sorted({test for fault in faults if fault.database == database for test in fault.tests})
        if failing := trial.first_failing(tests, database=database):
            sys.exit(f"{failing} fails without a fault. Mend it first.")


def _key_of() -> "_Keys":
    shared = [path for path in (ROOT / SOURCE).rglob("*") if path.is_file() and path.suffix != ".pyc"]
    tests = ROOT / "tests"
    shared += [*tests.rglob("conftest.py"), *(tests / "kit").glob("*.py"), *(tests / "cases").glob("*/*")]
    return _Keys(_digest(shared))


class _Keys:
    """Names a trial: the same name, the same outcome."""

    def __init__(self, shared: str) -> None:
        self.shared = shared

    def __call__(self, fault: Fault) -> str:
        text = f"{self.shared} {_digest(fault.test_files)} {astuple(fault)}"
        return f"{fault.name} {hashlib.sha256(text.encode()).hexdigest()}"


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _kept() -> dict[str, str]:
    kept: dict[str, str] = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    return {key: caught_by for key, caught_by in kept.items() if caught_by != NOTHING}


def _keep(kept: dict[str, str]) -> None:
    KEPT.parent.mkdir(exist_ok=True)
    draft = KEPT.with_suffix(".part")
    draft.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    draft.replace(KEPT)


if __name__ == "__main__":
    sys.exit(main())
