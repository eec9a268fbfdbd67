"""Run the server's steps on FILE in one process, from receiving the file to writing the results."""

import json
import sys
from pathlib import Path

from sis_sync.bench.work.server_place import APPROVER
from sis_sync.core.run_states import APPLIED, DECIDABLE


def main() -> None:
    """Receive, plan, approve if needed, apply, and print the counts. Exit with 1 if the run was not applied."""
    import django

    django.setup()
    from django.utils import timezone

    from sis_sync.server.accounts.models import Account
    from sis_sync.server.runs.approval import approve_run
    from sis_sync.server.runs.permission import leaving
    from sis_sync.server.runs.receive import Upload, receive_run
    from sis_sync.server.runs.worker import work_until_idle

    approver = Account.objects.select_related("school_system", "org").get(email=APPROVER)
    with Path(sys.argv[1]).open("rb") as file:
        upload = Upload(scope_org=approver.org, mode="full", file=file, file_name="roster.csv", by=approver)
        run = receive_run(upload, now=timezone.now())
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
    sys.stdout.write(json.dumps({"state": run.state, "counts": run.counts, "guards": run.guards}))
    if run.state != APPLIED:
        sys.exit(f"the run ended as {run.state}: {run.refusal}")


if __name__ == "__main__":
    main()
