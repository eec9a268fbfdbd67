"""Write the results CSV of a finished plan with our step or with Python's csv module: TABLES engine|writer."""

import csv
import json
import re
import sys
from pathlib import Path

from sis_sync.core.formula_cells import FORMULA_START
from sis_sync.engine.duckdb import Session, open_session
from sis_sync.steps.report import RESULTS_COLUMNS, results_query, write_results

BATCH_ROWS = 10_000
FORMULA = re.compile(rf"'*{FORMULA_START}")


def main() -> None:
    """Write the file and print the number of lines."""
    tables, way = Path(sys.argv[1]), sys.argv[2]
    with open_session() as session:
        settled = str(tables / "settled.parquet")
        session.run("CREATE TEMP VIEW settled AS SELECT * FROM read_parquet(:settled)", settled=settled)
        results, plan, unchanged = session.folder / "results.csv", tables / "plan.parquet", tables / "unchanged.parquet"
        if way == "engine":
            write_results(session, results, plan=plan, unchanged=unchanged)
        else:
            write_rows(session, results, results_query(lambda value: f"nullif({value}, '')", plan, unchanged))
        with results.open("rb") as file:
            lines = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
        sys.stdout.write(json.dumps({"counts": {"lines": lines}}))


def write_rows(session: Session, path: Path, query: str) -> None:
    """Write the same rows in the same order, with an apostrophe before cells that look like formulas."""
    found = session.connection.execute(f"{query} ORDER BY x.line NULLS LAST, x.custom_id")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(RESULTS_COLUMNS)
        while batch := found.fetchmany(BATCH_ROWS):
            writer.writerows([row[0], *map(safe, row[1:])] for row in batch)


def safe(cell: str | None) -> str | None:
    """Return the cell in a form that a spreadsheet does not run as a formula."""
    return f"'{cell}" if cell and FORMULA.match(cell) else cell


if __name__ == "__main__":
    main()
