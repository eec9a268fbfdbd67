"""A stored plan with its recorded approval. `apply_plan` takes nothing else."""

from dataclasses import dataclass

from sis_sync.server.runs.files import RunFiles, run_files
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.states import TO_APPLY

_MADE_HERE = object()


@dataclass(frozen=True)
class ApprovedPlan:
    """A stored plan that a person, a key or the mode's policy approved. Only `approved_plan` makes one."""

    run_id: int
    school_system_id: int
    scope_org_id: int
    digest: str
    files: RunFiles
    token: object

    def __post_init__(self) -> None:
        """Raise TypeError if another module makes one, because no one would have approved it."""
        if self.token is not _MADE_HERE:
            raise TypeError("an ApprovedPlan comes from approved_plan() only")


def approved_plan(run_id: int) -> ApprovedPlan | None:
    """Return the approved plan of a run, or None if the run is not approved or is already applied."""
    run = Run.objects.filter(pk=run_id, state__in=TO_APPLY).exclude(plan_digest="").first()
    if run is None or not is_approval_recorded(run):
        return None
    return ApprovedPlan(
        run_id=run.pk,
        school_system_id=run.school_system_id,
        scope_org_id=run.scope_org_id,
        digest=run.plan_digest,
        files=run_files(run),
        token=_MADE_HERE,
    )


def is_approval_recorded(run: Run) -> bool:
    """True if the run records the time of its approval and the person, key or policy that approved it."""
    has_decider = run.is_approved_by_policy or run.decided_by_id is not None or run.decided_by_key_id is not None
    return run.decided_at is not None and has_decider
