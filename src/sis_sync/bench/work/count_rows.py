"""A floor: DuckDB counts the records of a file: FILE."""

import json
import sys

import duckdb

from sis_sync.engine.sql import bind

THREADS = 2  # as our own sessions


def main() -> None:
    """Count, and say the number."""
    with duckdb.connect(config={"threads": str(THREADS)}) as connection:
        source = bind(":path", path=sys.argv[1])
        counted = connection.execute(f"SELECT count(*) FROM read_csv({source}, header = true, all_varchar = true)")
        sys.stdout.write(json.dumps({"records": counted.fetchall()[0][0]}))


if __name__ == "__main__":
    main()
