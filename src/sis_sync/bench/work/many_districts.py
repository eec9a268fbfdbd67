"""A night of many school systems in one installation: FOLDER COUNT first|night.

first: make COUNT school systems, and run the first list in each. night: run the next list in each.
"""

import json
import sys
from pathlib import Path

from sis_sync.bench.work.server_place import make_school_system
from sis_sync.bench.work.server_run import approver_named, run_file


def main() -> None:
    """Run a list in every school system, and print how many rows changed an account."""
    import django

    django.setup()
    folder, count, way = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    orgs = (folder / "orgs.csv").read_text(encoding="utf-8")
    changed = 0
    for number in range(count):
        address = f"approver@district-{number}.example"
        if way == "first":
            make_school_system(f"district-{number}", orgs=orgs, approver=address)
        run = run_file(folder / {"first": "first.csv", "night": "roster.csv"}[way], approver=approver_named(address))
        changed += run.counts["create"] + run.counts["update"] + run.counts["delete"]
    sys.stdout.write(json.dumps({"changed": changed}))


if __name__ == "__main__":
    main()
