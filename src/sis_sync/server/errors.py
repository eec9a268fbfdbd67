"""The server's part of the error tree in core/errors.py.

                            exit code   HTTP status
SisSyncError
  ValuesRefused                     2           422
  DeletionsNotTyped                 2           422
  ReasonMissing                     2           422
  IdempotencyKeyReused              2           422
  PlanDiffers                       9           409
  PlanDamaged                       9           409
  NotNow                            5           503
    DiskFull                        5           507
    TooManySignIns                  5           429
    PasswordNotReady                5           503
    TooManyCalls                    5           429
  UsageFault
    FileDamaged                     2           400
    ReportRemoved                   2           410
    BodyTooLarge                    2           413
  KeyRefused
    ApiDisabled                     4           403
"""

from sis_sync.core import exit_codes
from sis_sync.core.errors import KeyRefused, SisSyncError, UsageFault


class ValuesRefused(SisSyncError):
    """Values that a person typed or sent are invalid. Nothing was changed.

    `errors` maps the name of each invalid field to a message, which ends with the action to take.
    """

    exit_code, http_status, title = exit_codes.NOT_UNDERSTOOD, 422, "Some values cannot be taken"

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(errors.values()), fix="Correct these values and send them again.")
        self.errors = errors


class DeletionsNotTyped(SisSyncError):
    """The approval needs the number of deletions, but no number or another number was typed."""

    exit_code, http_status, title = exit_codes.NOT_UNDERSTOOD, 422, "Number of deletions not confirmed"


class ReasonMissing(SisSyncError):
    """A decision on a run that a guard holds needs a reason, but none was given."""

    exit_code, http_status, title = exit_codes.NOT_UNDERSTOOD, 422, "Reason missing"


class IdempotencyKeyReused(SisSyncError):
    """The idempotency key was used before, for another file, mode or mapping."""

    exit_code, http_status, title = exit_codes.NOT_UNDERSTOOD, 422, "Idempotency key used before"


class PlanDiffers(SisSyncError):
    """The plan is not the one that was shown."""

    exit_code, http_status, title = exit_codes.RUN_CLOSED, 409, "The plan has changed"


class PlanDamaged(SisSyncError):
    """The stored plan cannot be read, as after a fault of the disk."""

    exit_code, http_status, title = exit_codes.RUN_CLOSED, 409, "The stored plan is damaged"


class NotNow(SisSyncError):
    """Something is missing at the moment, such as a free database. Nothing was stored; try again."""

    exit_code, http_status, title = exit_codes.SERVER_NOT_REACHED, 503, "Not now"
    retry_after_seconds = 5

    def __init__(self, message: str, *, fix: str = "", retry_after_seconds: int | None = None) -> None:
        super().__init__(message, fix=fix)
        self.retry_after_seconds = retry_after_seconds or self.retry_after_seconds


class TooManySignIns(NotNow):
    """Too many wrong passwords were tried for one e-mail address, or from one place."""

    http_status, title = 429, "Too many tries"


class DiskFull(NotNow):
    """The disk of the server has no room."""

    http_status, title = 507, "The disk of the server is full"
    retry_after_seconds = 60


class TooManyCalls(NotNow):
    """An API key made too many calls, or sent too much."""

    http_status, title = 429, "Too many calls"


class PasswordNotReady(NotNow):
    """The password is right, but a file brought it only now and it is not hashed yet."""

    http_status, title = 503, "Not ready yet"


class ReportRemoved(UsageFault):
    """A purge has removed the plan and the results of the run."""

    http_status, title = 410, "Report removed"


class FileDamaged(UsageFault):
    """The received bytes differ from the sent ones."""

    title = "File damaged on the way"


class BodyTooLarge(UsageFault):
    """The body of a request is larger than its address takes, or its size is not stated."""

    http_status, title = 413, "Too large"


class ApiDisabled(KeyRefused):
    """The Sync Client API of the school system is switched off."""

    http_status = 403
