"""The peer script with Python's csv module and no database, as a careful administrator would write it: FOLDER.

It reads orgs, accounts and roster, checks every row against our rules, compares, and writes a line for every record.
"""

import csv
import json
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
ADDRESS = re.compile(rf"[\w.!#$%&'*+/=?^`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})+", re.IGNORECASE | re.ASCII)
TYPES = {name.casefold(): name for name in ("Teacher", "Staff", "Administrator", "Student")}
GRADES = {name.casefold(): name for name in ("Unspecified", "PreK", "K", *map(str, range(1, 13)), "Other")}
STATUSES = {"active": "Active", "disabled": "Disabled"}
PLACEHOLDERS = {"n/a", "#n/a", "null", "none", "-"}
Row = list[str]


def records(path: Path) -> Iterator[tuple[int, Row]]:
    """Yield the last line number and the cells of each record. The cells are trimmed and in NFC."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file, strict=True)
        next(reader)
        for row in reader:
            yield reader.line_num, [unicodedata.normalize("NFC", cell.strip()) for cell in row]


def codes_of(row: Row, orgs: set[str], ids: Counter[str], addresses: Counter[str]) -> list[str]:
    """Return the codes of a row's faults. Replace the row's listed values with their canonical form."""
    first, _, last, address, custom_id, org, kind, _, grade, status = row
    needed = (("first_name", first), ("last_name", last), ("email", address), ("custom_id", custom_id), ("org", org))
    found = [f"required:{name}" for name, value in needed if not value]
    if address and not ADDRESS.fullmatch(address):
        found.append("email.invalid")
    if custom_id.casefold() in PLACEHOLDERS or (custom_id and not custom_id.strip("0")):
        found.append("custom_id.placeholder")
    if custom_id and ids[custom_id] > 1:
        found.append("custom_id.duplicate")
    if address and addresses[address.lower()] > 1:
        found.append("email.duplicate")
    if org and org not in orgs:
        found.append("org.unknown")
    row[6], row[9] = TYPES.get(kind.casefold(), ""), STATUSES.get(status.casefold(), "")
    found += [f"invalid:{name}" for name, value in (("user_type", row[6]), ("status", row[9])) if not value]
    if row[6] == "Student":
        row[7], row[8] = "", GRADES.get(grade.casefold() or "unspecified", "")
        found += [] if row[8] else ["invalid:grade"]
    else:
        row[8] = ""
    return found


def main() -> None:
    """Make the plan, write it, and print the counts."""
    folder = Path(sys.argv[1])
    orgs = {row[0] for _, row in records(folder / "orgs.csv")}
    accounts = {row[4]: row for _, row in records(folder / "accounts.csv")}
    holders = {row[3].lower(): custom_id for custom_id, row in accounts.items()}
    rows = list(records(folder / "roster.csv"))
    ids = Counter(row[4] for _, row in rows)
    addresses = Counter(row[3].lower() for _, row in rows)
    counts: Counter[str] = Counter()
    with (folder / "script_plan.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        for line, row in rows:
            codes = codes_of(row, orgs, ids, addresses)
            if not codes and holders.get(row[3].lower(), row[4]) != row[4]:
                codes = ["email.taken"]
            known = accounts.get(row[4])
            action = "failed" if codes else "create" if known is None else "unchanged" if known == row else "update"
            counts[action] += 1
            writer.writerow((line, action, row[4], ";".join(codes)))
        for custom_id in accounts.keys() - ids.keys():
            counts["delete"] += 1
            writer.writerow(("", "delete", custom_id, ""))
    sys.stdout.write(json.dumps(counts))


if __name__ == "__main__":
    main()
