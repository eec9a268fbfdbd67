"""What the run services refuse, beyond the errors that every part shares."""

from sis_sync.core.errors import SisSyncError, UsageFault


class IdempotencyKeyReused(SisSyncError):
    """The key was used before, for another file, mode or mapping."""

    exit_code, http_status, title = 2, 422, "Idempotency key used before"


class FileDamaged(UsageFault):
    """The bytes that arrived are not those that were sent."""

    title = "File damaged on the way"


class PlanDiffers(SisSyncError):
    """The plan is not the one that was shown."""

    exit_code, http_status, title = 9, 409, "The plan has changed"


class DeletionsNotTyped(SisSyncError):
    """The number of deletions was not typed, or is another."""

    exit_code, http_status, title = 2, 422, "Number of deletions not confirmed"
