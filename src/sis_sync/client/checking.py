"""The client's own look at a file before it is sent: everything but orgs and accounts."""

from dataclasses import dataclass
from pathlib import Path

from sis_sync.client.mapper_lines import SectionMapping
from sis_sync.core.errors import FileRefused
from sis_sync.core.modes import Mode


@dataclass(frozen=True)
class Checked:
    """What the look found: data records, how many of them fail, and findings by code."""

    rows: int
    failed_rows: int
    findings: dict[str, int]


def check_file(path: Path, *, mode: Mode, mapping: SectionMapping, fallback_encoding: str) -> Checked:
    """Read, map and validate the file. FileRefused if the whole file is."""
    from sis_sync.engine.session import open_session
    from sis_sync.formats.mapping import NO_MAPPING
    from sis_sync.formats.mapping_lines import load_mapping, parse_mapping
    from sis_sync.steps.map import map_records
    from sis_sync.steps.read import read
    from sis_sync.steps.validate import validate

    rules = NO_MAPPING
    if mapping.name:
        rules = parse_mapping(mapping.lines, name=mapping.name) if mapping.lines else load_mapping(mapping.name)
    with open_session() as session:
        records = read(session, path, mode=mode, mapping=rules, fallback_encoding=fallback_encoding)
        judged = validate(session, map_records(session, records), None, mode)
        return Checked(records.facts.rows, judged.failed_rows, judged.findings)


def findings_note(file_name: str, refusal: FileRefused) -> str:
    """What is put beside a refused file, for the person who must act."""
    where = f" line {refusal.line}" if refusal.line else ""
    lines = (
        f"{file_name} was not applied: the whole file is refused.",
        f"{file_name}{where}: {refusal.message} ({refusal.code})",
        refusal.fix,
    )
    return "\n".join(line for line in lines if line) + "\n"
