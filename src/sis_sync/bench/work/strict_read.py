"""A floor: DuckDB's own strict read of a clean FILE into a table, all text, without line numbers."""

import json
import sys

import duckdb

from sis_sync.engine.sql import bind

THREADS = 2  # as many as our own sessions use


def main() -> None:
    """Read the file and print the number of records."""
    with duckdb.connect(config={"threads": str(THREADS)}) as connection:
        source = bind(":path", path=sys.argv[1])
        connection.execute(
            f"CREATE TEMP TABLE cells AS FROM read_csv({source}, header = true, "
            "delim = ',', quote = '\"', escape = '\"', all_varchar = true, auto_detect = true, strict_mode = true)"
        ).fetchall()
        counted = connection.execute("SELECT count(*) FROM cells").fetchall()
        sys.stdout.write(json.dumps({"records": counted[0][0]}))


if __name__ == "__main__":
    main()
