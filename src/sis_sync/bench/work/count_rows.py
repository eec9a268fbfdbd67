"""A floor: DuckDB counts the records of FILE."""

import json
import sys

import duckdb

from sis_sync.engine.sql import bind

THREADS = 2  # as many as our own sessions use


def main() -> None:
    """Count the records and print the number."""
    with duckdb.connect(config={"threads": str(THREADS)}) as connection:
        source = bind(":path", path=sys.argv[1])
        counted = connection.execute(f"SELECT count(*) FROM read_csv({source}, header = true, all_varchar = true)")
        sys.stdout.write(json.dumps({"records": counted.fetchall()[0][0]}))


if __name__ == "__main__":
    main()
