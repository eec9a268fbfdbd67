"""The services of runs: what pages, the API and jobs may do to one."""

from sis_sync.server.runs.decide import approve_run, reject_run
from sis_sync.server.runs.receive import receive_run

__all__ = ["approve_run", "receive_run", "reject_run"]
