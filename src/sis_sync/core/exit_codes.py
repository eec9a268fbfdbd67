"""The exit codes of every command (section 4 of the command line). Scripts depend on them: they never change."""

DONE = 0
UNEXPECTED_ERROR = 1
NOT_UNDERSTOOD = 2
WRONG_CONFIGURATION = 3
KEY_REFUSED = 4
SERVER_NOT_REACHED = 5
FILE_REFUSED = 6
ROWS_FAILED = 7
HELD = 8  # only with --detailed-exitcode
RUN_CLOSED = 9
GAVE_UP_WAITING = 10
ANOTHER_INSTANCE_RUNS = 11
INTERRUPTED = 130
TERMINATED = 143
