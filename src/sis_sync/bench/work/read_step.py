"""Run our read step on FILE. It reads every record with its physical line and its faults."""

import json
import sys
from pathlib import Path

from sis_sync.engine.duckdb import open_session
from sis_sync.steps.read.read import read


def main() -> None:
    """Read the file and print the number of records."""
    with open_session() as session:
        records = read(session, Path(sys.argv[1]))
        sys.stdout.write(json.dumps({"records": records.facts.rows}))


if __name__ == "__main__":
    main()
