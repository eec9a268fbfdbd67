"""Two floors that use only DuckDB on a clean FILE: read|count FILE.

read: strictly read all cells as text into a table, without line numbers. count: count the records.
"""

import json
import sys

import duckdb

from sis_sync.engine.sql import bind

THREADS = 2  # as many as our own sessions use
READ_OPTIONS = "delim = ',', quote = '\"', escape = '\"', auto_detect = true, strict_mode = true"


def main() -> None:
    """Read the file or count its records, then print the number of records."""
    way, path = sys.argv[1:]
    source = f"{bind(':path', path=path)}, header = true, all_varchar = true"
    with duckdb.connect(config={"threads": str(THREADS)}) as connection:
        if way == "read":
            connection.execute(f"CREATE TEMP TABLE cells AS FROM read_csv({source}, {READ_OPTIONS})").fetchall()
            counted = connection.execute("SELECT count(*) FROM cells")
        else:
            counted = connection.execute(f"SELECT count(*) FROM read_csv({source})")
        sys.stdout.write(json.dumps({"records": counted.fetchall()[0][0]}))


if __name__ == "__main__":
    main()
