"""The states of a run and their groups. The server stores them, the client reads them from the API.

Every state is in exactly one of MOVING, DECIDABLE and ENDED.
"""

RECEIVED = "received"
CHECKING = "checking"
WAITING = "waiting"
HELD = "held"
APPROVED = "approved"
APPLYING = "applying"
OUT_OF_DATE = "out_of_date"
APPLIED = "applied"
REFUSED = "refused"
REJECTED = "rejected"
SUPERSEDED = "superseded"
EXPIRED = "expired"
FAILED = "failed"
CANCELLED = "cancelled"

# The server takes the next step by itself; a run that is out of date is planned again.
MOVING = (RECEIVED, CHECKING, APPROVED, APPLYING, OUT_OF_DATE)

# The server waits until a person, or a key with that right, approves or rejects the run.
DECIDABLE = (WAITING, HELD)

# Nothing more happens to the run.
ENDED = (APPLIED, REFUSED, REJECTED, SUPERSEDED, EXPIRED, FAILED, CANCELLED)

ALL = (*MOVING, *DECIDABLE, *ENDED)
