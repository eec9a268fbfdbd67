"""A process that shows a few signs of life and then stops, as a worker that hangs: `python -m kit.frozen FILE`."""

import os
import signal
import sys
import time
from pathlib import Path

BEATS = 3


def main(file: Path) -> None:
    """Touch the file, then stop without ending."""
    for _ in range(BEATS):
        file.touch()
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGSTOP)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
