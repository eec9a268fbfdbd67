"""What a key may learn about a run (section 4 of the sync rules). A key that may only upload learns nothing of people.

A key with the scope read sees everything. A key with the scope own_results also sees what happened to the rows of the
files that it sent. Any other key is told which rows were taken, ignored or failed, and what the file alone decides.
"""

from dataclasses import asdict, dataclass
from typing import Any

from sis_sync.core.guards import USUAL_REASONS
from sis_sync.core.modes import TAKING_BACK
from sis_sync.core.plan import ABSENT_ACTIONS
from sis_sync.engine.duckdb import Session
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.keys.services import APPROVE, OWN_RESULTS, READ
from sis_sync.server.runs.files import RunFiles
from sis_sync.server.runs.models import Run
from sis_sync.steps.plan.plan import Plan
from sis_sync.steps.report import write_failed_rows, write_told
from sis_sync.steps.tell.tell import tell_of_file, tell_of_rows


@dataclass(frozen=True)
class RunView:
    """What a key may see of a run's plan. `digest` is empty for a key that may neither read nor approve."""

    counts: dict[str, int]
    findings: dict[str, int]
    guards: list[dict[str, Any]]
    digest: str


def page_mark(run: Run) -> str:
    """Return the placeholder for the address of the run's page in reports. The API replaces it."""
    return f"urn:sis-sync:run:{run.pk}"


def store_told(run: Run, session: Session, plan: Plan, files: RunFiles) -> dict[str, Any]:
    """Return what `Run.told` stores. Write the reports that the sender may see, if it is a key without read.

    Call this after everything that reads the findings in the session.
    """
    if run.api_key is None:
        return {}
    has_own_results = OWN_RESULTS in run.api_key.scopes
    if has_own_results:
        tell_of_rows(session, plan)
        _write_reports(session, plan, files)
    told = tell_of_file(session, plan, page=page_mark(run))
    if not {OWN_RESULTS, READ} & set(run.api_key.scopes):
        _write_reports(session, plan, files)
    return {**asdict(told), "others": "unchanged" if has_own_results else "taken"}


def _write_reports(session: Session, plan: Plan, files: RunFiles) -> None:
    write_told(session, files.told)
    write_failed_rows(session, plan.records, files.told_failed, of="told")


def view_of(run: Run, key: ApiKey) -> RunView:
    """Return what the key may see of a run that is visible to it."""
    digest = run.plan_digest if {READ, APPROVE} & set(key.scopes) else ""
    if READ in key.scopes:
        return RunView(run.counts, run.findings, run.guards, digest)
    guards = [named_guard(hit["code"]) for hit in run.guards]
    if OWN_RESULTS in key.scopes and run.api_key_id == key.pk and run.mode not in TAKING_BACK:  # no file has its rows
        of_rows = {action: count for action, count in run.counts.items() if action not in ABSENT_ACTIONS}
        return RunView(of_rows, run.findings, guards, digest)
    return RunView(run.told.get("counts", {}), run.told.get("findings", {}), guards, digest)


def named_guard(code: str) -> dict[str, Any]:
    """Return a guard without its figures, which count accounts."""
    reason = USUAL_REASONS.get(code)  # None for a guard of an earlier version
    return {"code": code, "message": f"It usually means: {reason}" if reason else ""}


def sees_all(key: ApiKey) -> bool:
    """True if the key may see the reports of all runs that it can see, with everything in them."""
    return READ in key.scopes


def sees_own(run: Run, key: ApiKey) -> bool:
    """True if the key may see what the sender is told of this run.

    Reports contain the rows of the file, which are about people. So without the scope read only the sender may.
    """
    return run.api_key_id == key.pk
