"""The error tree. Each class sets its exit code and HTTP status. Any other exception is a bug.

                            exit code   HTTP status
SisSyncError                        1           500
  UsageFault                        2           400
  ConfigurationError                3           422
    EngineUnavailable               3           422
    NoRoom                          3           507
  KeyRefused                        4           401
  NotPermitted                      4           403
  ServerNotReached                  5           502
  FileRefused                       6           422
  RunClosed                         9           409
  GaveUpWaiting                    10           504
  AnotherInstanceRuns              11           409

The server defines more in server/errors.py. Faults in data are findings, not errors (core/findings.py).
"""

from sis_sync.core import exit_codes
from sis_sync.core.wording import escaped


class SisSyncError(Exception):
    """An error with a message for the person who must act. `fix` is the suggested action.

    Both may quote a file, so control and format characters are escaped: they could move the cursor or reverse the text,
    and PostgreSQL stores no NUL.
    """

    exit_code = exit_codes.UNEXPECTED_ERROR
    http_status = 500
    title = "Unexpected error"

    def __init__(self, message: str, *, fix: str = "") -> None:
        self.message, self.fix = escaped(message), escaped(fix)
        super().__init__(self.message)


class UsageFault(SisSyncError):
    """The command or the request is malformed."""

    exit_code, http_status, title = exit_codes.NOT_UNDERSTOOD, 400, "Not understood"


class ConfigurationError(SisSyncError):
    """A setting, a properties line or a mapping line is wrong."""

    exit_code, http_status, title = exit_codes.WRONG_CONFIGURATION, 422, "Configuration error"


class EngineUnavailable(ConfigurationError):
    """The engine cannot be used on this machine at the moment. The file and its mapping are not the cause."""


class NoRoom(ConfigurationError):
    """A disk of this machine is full. Nothing is lost; the command can be run again."""

    http_status, title = 507, "The disk is full"


class KeyRefused(SisSyncError):
    """The API key is unknown, expired, revoked or lacks the right, or the API is disabled."""

    exit_code, http_status, title = exit_codes.KEY_REFUSED, 401, "API key refused"


class NotPermitted(SisSyncError):
    """The person or key may not do this."""

    exit_code, http_status, title = exit_codes.KEY_REFUSED, 403, "Not permitted"


class ServerNotReached(SisSyncError):
    """The server did not answer."""

    exit_code, http_status, title = exit_codes.SERVER_NOT_REACHED, 502, "Server not reached"


class FileRefused(SisSyncError):
    """The whole file is refused and nothing is planned; `code` is a `file.*` finding code."""

    exit_code, http_status, title = exit_codes.FILE_REFUSED, 422, "File refused"

    def __init__(self, code: str, message: str, *, line: int | None = None, fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.code = code
        self.line = line


class RunClosed(SisSyncError):
    """The run was rejected, cancelled or superseded, has expired or is out of date. `state` is its state."""

    exit_code, http_status, title = exit_codes.RUN_CLOSED, 409, "Run can no longer be decided"

    def __init__(self, message: str, *, fix: str = "", state: str = "") -> None:
        super().__init__(message, fix=fix)
        self.state = state


class GaveUpWaiting(SisSyncError):
    """The run did not end in the time allowed."""

    exit_code, http_status, title = exit_codes.GAVE_UP_WAITING, 504, "Gave up waiting"


class AnotherInstanceRuns(SisSyncError):
    """Another client has locked this state folder, or another run has locked this folder of plans."""

    exit_code, http_status, title = exit_codes.ANOTHER_INSTANCE_RUNS, 409, "Another instance runs"
