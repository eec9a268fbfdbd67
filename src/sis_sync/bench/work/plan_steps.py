"""Read, map, validate and plan, results written: FOLDER MEMORY_LIMIT_MB [TABLES]. As `sis-sync plan`, with a limit.

Into the folder TABLES go what the results CSV is made of, `plan` and `people`.
"""

import json
import sys
from pathlib import Path

from sis_sync.core.modes import MODES
from sis_sync.engine.session import Session, open_session
from sis_sync.steps.directory import load_directory
from sis_sync.steps.map import map_records
from sis_sync.steps.plan import make_plan
from sis_sync.steps.read import read
from sis_sync.steps.report import write_plan
from sis_sync.steps.validate import validate


def main() -> None:
    """Plan, then say the counts."""
    folder, limit = Path(sys.argv[1]), int(sys.argv[2])
    mode = MODES["full"]
    with open_session(memory_limit_mb=limit) as session:
        records = read(session, folder / "roster.csv", mode=mode)
        roster = map_records(session, records)
        directory = load_directory(session, orgs=folder / "orgs.csv", accounts=folder / "accounts.csv")
        plan = make_plan(session, validate(session, roster, directory, mode))
        write_plan(session, session.folder / "plan.csv")
        if sys.argv[3:]:
            _keep_tables(session, Path(sys.argv[3]))
        sys.stdout.write(json.dumps(plan.counts.as_dict()))


def _keep_tables(session: Session, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name in ("plan", "people"):
        session.run(f"COPY {name} TO :path (FORMAT parquet)", path=str(folder / f"{name}.parquet"))


if __name__ == "__main__":
    main()
