"""Make a district's files: FOLDER ROWS. The same number of rows produces the same bytes on every machine."""

import json
import sys
from pathlib import Path

import duckdb

from sis_sync.engine.sql import bind

FILES = ("first", "roster", "accounts", "orgs")
BROKEN_EVERY = 99  # so that one record in a hundred is broken
DISTRICT = Path(__file__).with_name("district.sql")


def main() -> None:
    """Write the files and print their sizes in bytes."""
    folder, rows = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    write_district(folder, rows)
    write_broken(folder)
    sys.stdout.write(json.dumps({path.name: path.stat().st_size for path in sorted(folder.glob("*.csv"))}))


def write_district(folder: Path, rows: int) -> None:
    """Write `first.csv` (2 % bad rows), `roster.csv` (the next night's list), `accounts.csv` and `orgs.csv`."""
    with duckdb.connect(config={"preserve_insertion_order": "true"}) as connection:
        connection.execute(bind(DISTRICT.read_text(encoding="utf-8"), rows=rows)).fetchall()
        for name in FILES:
            target = bind(":path", path=str(folder / f"{name}.csv"))
            connection.execute(
                f"COPY (SELECT nullif(COLUMNS(*), '') FROM {name}) TO {target} (FORMAT csv, HEADER true)"
            ).fetchall()


def write_broken(folder: Path) -> None:
    """Write `broken.csv`: the accounts as a roster, with a broken record after every 99 intact records."""
    header, *lines = (folder / "accounts.csv").read_bytes().splitlines(keepends=True)
    with (folder / "broken.csv").open("wb") as file:
        file.write(header)
        for number, first in enumerate(range(0, len(lines), BROKEN_EVERY)):
            block = lines[first : first + BROKEN_EVERY]
            file.writelines(block)
            if len(block) == BROKEN_EVERY:
                file.write(broken_record(number))


def broken_record(number: int) -> bytes:
    """Return a damaged record with its line end. The number selects one of the KINDS in turn."""
    kind = KINDS[number % len(KINDS)]
    return kind.replace(b"NUMBER", str(number).encode())


_REST = b"b.NUMBER@district.example,B-NUMBER,0001,Student,,4,Active"
KINDS: tuple[bytes, ...] = (
    b'Ana,,Ru"iz,' + _REST + b"\n",  # a stray quote
    b'Ana,,"Ru"iz,' + _REST + b"\n",  # text after a closing quote
    b'Ana,,"Ruiz,' + _REST + b"\n",  # a quote that is not closed
    b"Ana,,Ruiz," + _REST + b",one,two\n",  # too many columns
    b"Ana,,Ruiz,b.NUMBER@district.example\n",  # too few
    b"Ana\x00,,Ruiz," + _REST + b"\n",
    b"Ana\x07,,Ruiz," + _REST + b"\n",
    b"An\xe9,,Ruiz," + _REST + b"\n",  # not UTF-8
    b'Ana,,"Ruiz\nthe Younger",' + _REST + b"\n",  # a line break in quotes
    b"\n",  # a blank line
    b"Ana,,Ruiz," + _REST + b"\r\n",  # CRLF among LF
    b"Ana,,Ru\riz," + _REST + b"\n",  # a lone CR
    b'"An\xe9\x00","Ru"iz",' + _REST + b",\r\n",  # several at once
)


if __name__ == "__main__":
    main()
