"""Reads a CSV file of orgs: `external_id,name` and an optional `kind`."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.models import Org
from sis_sync.server.text import tidy

REQUIRED = ("external_id", "name")
TOO_MANY = "too many cells"
KINDS = tuple(Org.Kind.values)


@dataclass(frozen=True)
class OrgLine:
    """One org of the file. `number` is the physical line on which its record ends."""

    number: int
    external_id: str
    name: str
    kind: str
    has_too_many_cells: bool = False


@dataclass(frozen=True)
class ImportedOrgs:
    """The counts of an import. Their sum is the number of orgs in the file."""

    created: int
    updated: int
    unchanged: int


def read_org_lines(text: str) -> list[OrgLine]:
    """Return the orgs of the file. Raise ValuesRefused with every invalid line."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), restkey=TOO_MANY, strict=True)
    try:
        headers = [tidy(header).lower() for header in reader.fieldnames or ()]
        missing = [name for name in REQUIRED if name not in headers]
        if missing:
            raise ValuesRefused({"file": f"The first line lacks {' and '.join(missing)}. Write external_id,name,kind."})
        reader.fieldnames = headers
        lines = [read_line(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise ValuesRefused(
            {"file": f"Line {reader.line_num} is not valid CSV: {error}. Save the file again."}
        ) from error
    faults = dict(find_faults(lines))
    if faults:
        raise ValuesRefused(faults)
    return lines


def read_line(number: int, row: dict[str, str | None]) -> OrgLine:
    """Return the values of one record, tidied. The kind is school if the cell is empty."""
    kind = tidy(row.get("kind") or "").lower() or Org.Kind.SCHOOL.value
    external_id, name = tidy(row.get("external_id") or ""), tidy(row.get("name") or "")
    return OrgLine(number, external_id, name, kind, has_too_many_cells=TOO_MANY in row)


def find_faults(lines: list[OrgLine]) -> Iterator[tuple[str, str]]:
    """Yield a field name and a message for each invalid line."""
    first_lines: dict[str, int] = {}
    for line in lines:
        where = f"line {line.number}"
        if line.has_too_many_cells:
            yield where, f"Line {line.number} has more cells than the first line. Put a name with a comma into quotes."
        elif not line.external_id or not line.name:
            yield where, f"Line {line.number}: external_id and name are both needed."
        elif line.kind not in KINDS:
            yield where, f'Line {line.number}: "{line.kind}" is not a kind of org. Write district or school.'
        elif line.external_id in first_lines:
            other = first_lines[line.external_id]
            yield where, f'Line {line.number}: the external ID "{line.external_id}" is on line {other} too.'
        first_lines.setdefault(line.external_id, line.number)
