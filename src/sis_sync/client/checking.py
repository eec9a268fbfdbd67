"""The client's own look at a file before it is sent: everything but orgs and accounts."""

from pathlib import Path

from sis_sync.client.mapper_lines import SectionMapping
from sis_sync.core.errors import FileRefused
from sis_sync.core.modes import Mode


def check_file(path: Path, *, mode: Mode, mapping: SectionMapping, fallback_encoding: str) -> None:
    """Read, map and validate the file. FileRefused if the whole file is."""
    from sis_sync.engine.duckdb import open_session
    from sis_sync.steps import pipeline
    from sis_sync.steps.map.mapper_lines import load_mapping, parse_mapping
    from sis_sync.steps.map.mapping import NO_MAPPING

    rules = NO_MAPPING
    if mapping.name:
        rules = parse_mapping(mapping.lines, name=mapping.name) if mapping.lines else load_mapping(mapping.name)
    with open_session() as session:
        pipeline.check_file(session, path, mode=mode, mapping=rules, fallback_encoding=fallback_encoding)


def findings_note(file_name: str, refusal: FileRefused) -> str:
    """What is put beside a refused file, for the person who must act."""
    where = f" line {refusal.line}" if refusal.line else ""
    lines = (
        f"{file_name} was not applied: the whole file is refused.",
        f"{file_name}{where}: {refusal.message} ({refusal.code})",
        refusal.fix,
    )
    return "\n".join(line for line in lines if line) + "\n"
