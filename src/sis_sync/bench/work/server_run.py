"""Run the server's steps on FILE in one process, from receiving the file to its end: FILE [warm].

With `warm`, the process first does the same for another school system, and prints the seconds of the run on FILE alone.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sis_sync.bench.measure import Stopwatch
from sis_sync.bench.work.server_place import APPROVER, WARMING_APPROVER, WARMING_FILE
from sis_sync.core.run_states import APPLIED, DECIDABLE

if TYPE_CHECKING:
    from sis_sync.server.accounts.models import Account
    from sis_sync.server.runs.models import Run


def main() -> None:
    """Run the file and print the counts. Exit with 1 if the run was not applied."""
    import django

    django.setup()
    is_warm = sys.argv[2:] == ["warm"]
    if is_warm:
        warm_up()
    watch = Stopwatch()
    run = run_file(Path(sys.argv[1]), approver=approver_named(APPROVER))
    answer = {"state": run.state, "counts": run.counts, "guards": run.guards, **watch.seconds()}
    sys.stdout.write(json.dumps(answer))
    if run.state != APPLIED:
        sys.exit(f"the run ended as {run.state}: {run.refusal}")


def approver_named(address: str) -> "Account":
    """Return the manager who approves the runs of a school system."""
    from sis_sync.server.orgs.models import Right

    # There is no index over the addresses of all school systems, but those who have rights are few.
    rights = Right.objects.select_related("account__school_system", "account__org")
    return next(right.account for right in rights if right.account.email == address)


def receive(path: Path, *, approver: "Account", mode: str = "full") -> "Run":
    """Receive the file. A job to plan it is then queued."""
    from django.utils import timezone

    from sis_sync.server.runs.receive import Upload, receive_run

    with path.open("rb") as file:
        upload = Upload(scope_org=approver.org, mode=mode, file=file, file_name="roster.csv", by=approver)
        return receive_run(upload, now=timezone.now())


def run_file(path: Path, *, approver: "Account", mode: str = "full") -> "Run":
    """Receive, plan, approve if needed and apply the file."""
    from django.utils import timezone

    from sis_sync.server.runs.approval import approve_run
    from sis_sync.server.runs.permission import leaving
    from sis_sync.server.runs.worker import work_until_idle

    run = receive(path, approver=approver, mode=mode)
    work_until_idle()
    run.refresh_from_db()
    if run.state in DECIDABLE:
        approve_run(
            run=run,
            digest=run.plan_digest,
            by=approver,
            reason="checked",
            typed_deletions=leaving(run),
            now=timezone.now(),
        )
        work_until_idle()
        run.refresh_from_db()
    return run


def warm_up() -> None:
    """Run a file of one person in another school system, as a server that has been running has done before."""
    run_file(warming_file(), approver=approver_named(WARMING_APPROVER), mode="partial")


def warming_file() -> Path:
    """Write the file of one person, and return its path."""
    from django.conf import settings

    path = Path(settings.SIS_SYNC_DATA_FOLDER) / "warming.csv"
    path.write_text(WARMING_FILE, encoding="utf-8")
    return path


if __name__ == "__main__":
    main()
