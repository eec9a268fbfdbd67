"""Looks for texts in everything that a server stores: every column of every table, and every file."""

from collections.abc import Iterable
from pathlib import Path

import duckdb
from django.db import connection


def texts_of_tables() -> dict[str, str]:
    """Return all rows of each table as one text."""
    texts = {}
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor)) - {"account_search"}  # its words are in other tables
        for table in sorted(tables):
            cursor.execute(f'SELECT * FROM "{table}" ORDER BY 1')
            texts[table] = str(cursor.fetchall())
    return texts


def found_in_tables(texts: Iterable[str]) -> set[tuple[str, str]]:
    """Return (table, text) for each text that a row of the table contains, in any case."""
    tables = {table: rows.lower() for table, rows in texts_of_tables().items()}
    return {(table, text) for table, rows in tables.items() for text in texts if text.lower() in rows}


def found_in_files(folder: Path, texts: Iterable[str]) -> set[tuple[str, str]]:
    """Return (file, text) for each text that a file contains: in its bytes, or in the cells of a Parquet file."""
    wanted = [text.lower() for text in texts]
    found = set()
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes().decode("latin-1").lower()
            if path.suffix == ".parquet":
                rows = duckdb.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
                content += str(rows).lower()
            found |= {(str(path.relative_to(folder)), text) for text in wanted if text in content}
    return found
