"""Run the same steps as `sis-sync plan`, with a memory limit: FOLDER MEMORY_LIMIT_MB [TABLES].

Write the plan as CSV. Write to the folder TABLES what the results CSV is made of.
"""

import json
import sys
from pathlib import Path

from sis_sync.core.modes import MODES
from sis_sync.engine.duckdb import Session, open_session
from sis_sync.steps.pipeline import PlanInput, plan_file
from sis_sync.steps.plan.plan import Plan, save_plan
from sis_sync.steps.report import write_plan


def main() -> None:
    """Make the plan and print the counts."""
    folder, limit = Path(sys.argv[1]), int(sys.argv[2])
    with open_session(memory_limit_mb=limit) as session:
        given = PlanInput(folder / "roster.csv", MODES["full"], folder / "orgs.csv", folder / "accounts.csv")
        plan, _ = plan_file(session, given)
        write_plan(session, session.folder / "plan.csv")
        if sys.argv[3:]:
            _keep_tables(session, plan, Path(sys.argv[3]))
        sys.stdout.write(json.dumps(plan.counts.as_dict()))


def _keep_tables(session: Session, plan: Plan, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    save_plan(session, plan, folder / "plan.parquet", folder / "unchanged.parquet")
    session.run("COPY settled TO :path (FORMAT parquet)", path=str(folder / "settled.parquet"))


if __name__ == "__main__":
    main()
