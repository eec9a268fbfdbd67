"""Apply: takes an ApprovedPlan and nothing else."""

from sis_sync.server.runs.apply.apply import apply_plan, lock_school_system
from sis_sync.server.runs.apply.check import OutOfDate
from sis_sync.server.runs.conflicts import was_overtaken

__all__ = ["OutOfDate", "apply_plan", "lock_school_system", "was_overtaken"]
