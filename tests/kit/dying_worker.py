"""A worker that is killed at a step of a job: `python -m kit.dying_worker apply 17`. It does jobs until then.

A step is a statement of the database or of the engine, a commit, or a file that is renamed or removed. The first step
is 1; with 0 the worker is not killed. Small school systems have a memory too.
"""

import functools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import django


class Death:
    """Kills this process before the step `number` of a job of this kind."""

    def __init__(self, kind: str, number: int) -> None:
        self.kind, self.left = kind, number
        self.is_counting = False

    def comes_near(self) -> None:
        self.left -= self.is_counting
        if self.is_counting and self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, owner: type, *names: str) -> None:
        """Let each call of these methods be a step."""
        for name in names:
            setattr(owner, name, self._counted(getattr(owner, name)))

    def _counted(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def counted(*given: Any, **named: Any) -> Any:
            self.comes_near()
            return method(*given, **named)

        return counted


def main() -> None:
    """Do jobs until death."""
    django.setup()
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper

    from sis_sync.engine.duckdb import Session
    from sis_sync.server.runs import memory, worker

    memory.LEAST_ACCOUNTS = 1
    death = Death(sys.argv[1], int(sys.argv[2]))
    death.watch(CursorWrapper, "execute", "executemany")
    death.watch(BaseDatabaseWrapper, "_commit")
    death.watch(Session, "_execute", "insert")
    death.watch(Path, "rename", "replace", "unlink")
    perform = worker._perform

    def counted(job: Any, *given: Any) -> None:
        death.is_counting = job.kind == death.kind
        perform(job, *given)
        death.is_counting = False

    with patch.object(worker, "_perform", counted):
        worker.work_until_idle()


if __name__ == "__main__":
    main()
