"""Values typed or sent by a person that cannot be taken, field by field."""

from sis_sync.core.errors import SisSyncError, UsageFault


class ValuesRefused(SisSyncError):
    """`errors` maps the name of each field to what is wrong with it and what to do. Nothing was changed."""

    exit_code, http_status, title = 2, 422, "Some values cannot be taken"

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(errors.values()), fix="Correct these values and send them again.")
        self.errors = errors


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
