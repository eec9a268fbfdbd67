"""The worker process. Started by the supervisor, or by hand, as `python -m sis_sync.server.serve.work`."""

import os
import sys
import threading
from pathlib import Path

from sis_sync.server.serve.supervisor import end_process, exit_on_signals, stop_with_parent


def main(beat_file: Path | None = None) -> int:
    """Do jobs until a signal, and show signs of life in the file."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sis_sync.server.settings")
    django.setup()
    from sis_sync.server.jobs.beat import beating
    from sis_sync.server.runs.worker import work_forever

    stop_with_parent(end_process)
    exit_on_signals()
    with beating(beat_file):
        work_forever(threading.Event(), leave=end_process)
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
