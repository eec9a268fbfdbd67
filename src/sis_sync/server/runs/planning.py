"""Plans the stored file of a run against the current accounts, and stores the plan with its reports.

A run that takes another one back has no file. Its rows come from the history of the accounts that the other changed.
"""

import json
import logging
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings as installed

from sis_sync.core.errors import ConfigurationError
from sis_sync.core.guards import NO_HISTORY, GuardHit
from sis_sync.core.modes import MODES, TAKING_BACK, OnAbsent
from sis_sync.core.plan import Counts
from sis_sync.core.reading_options import options_of
from sis_sync.core.whole_files import replaced_whole
from sis_sync.engine.duckdb import Session
from sis_sync.server.accounts.held_addresses import key_of, write_digests
from sis_sync.server.orgs.selectors import today_in
from sis_sync.server.runs.files import (
    SMALL_FILE_BYTES,
    RunFiles,
    adopt_plan,
    forget_plans,
    new_plan_files,
    other_plans,
    run_files,
    run_session,
    work_folder,
)
from sis_sync.server.runs.history import history_of
from sis_sync.server.runs.memory import forget_memories, has_many_accounts, memory_of
from sis_sync.server.runs.models import ModeSettings, Run
from sis_sync.server.runs.passwords import keep_passwords, kept_passwords, known_passwords
from sis_sync.server.runs.settings import field_settings_of, limits_of, mode_of, on_absent
from sis_sync.server.runs.snapshot import DirectoryFiles, export_directory, surroundings_of, write_seen_accounts
from sis_sync.server.runs.sums import sums_of_plan
from sis_sync.server.runs.told import store_told
from sis_sync.server.runs.undo import changes_of
from sis_sync.steps.guard.guard import count_leaving, is_first_import
from sis_sync.steps.map.mapper_lines import load_preset, parse_mapping
from sis_sync.steps.map.mapping import NO_MAPPING, Mapping
from sis_sync.steps.map.settle import HeldAddresses
from sis_sync.steps.memory.memory import Memory
from sis_sync.steps.memory.pairs import MemoryUnusable
from sis_sync.steps.pipeline import PlanInput, plan_file, plan_undo
from sis_sync.steps.plan.plan import Plan, plan_digest, save_plan
from sis_sync.steps.read.keep import keep_what_counts
from sis_sync.steps.read.rewrite import is_text, write_without_secrets
from sis_sync.steps.report import write_failed_rows
from sis_sync.steps.undo.undo import group_undo_findings
from sis_sync.steps.validate.messages import FindingGroup, group_findings

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Planned:
    """The outcome of planning, to be recorded on the run. `digest` identifies the stored files of the plan.

    `ended_edits` counts the rows that end an edit of a name. A key without the scope read learns `told`. Pages show
    `sums` without opening the plan. The plan depends on `surroundings` besides the accounts (see `surroundings_of`).
    """

    facts: dict[str, Any]
    counts: Counts
    guards: list[dict[str, Any]]
    findings: dict[str, int]
    newcomers_with_password: int
    passwords_of_existing: int
    ended_edits: int
    told: dict[str, Any]
    sums: dict[str, Any]
    digest: str
    surroundings: dict[str, Any]


def make_stored_plan(run: Run, settings: ModeSettings, *, now: datetime) -> Planned:
    """Plan the run's file against the current accounts, and store the plan and both reports.

    Raise FileRefused, or ConfigurationError if the mapping is invalid.
    """
    mapping = mapping_of(run)
    is_small = run.file_size_bytes <= SMALL_FILE_BYTES and not has_many_accounts(run.school_system_id)
    if run.mode in TAKING_BACK:
        with work_folder(run.pk) as folder, run_session(folder, is_small=is_small) as session:
            return _plan_undo(run, settings, session, folder, now)
    try:
        with work_folder(run.pk) as folder, run_session(folder, is_small=is_small) as session:
            memory = memory_of(run, session, now=now)
            return _plan(run, settings, mapping, session, folder, now, memory)
    except MemoryUnusable as error:
        LOGGER.warning("run %s is planned without the memory: %s", run.pk, error.__cause__)
        forget_memories(run.school_system_id)
    with work_folder(run.pk) as folder, run_session(folder) as session:
        return _plan(run, settings, mapping, session, folder, now, None)


def keep_refused(run: Run) -> None:
    """Store a refused upload without its columns of secrets, so that a manager can map its columns.

    Do not store it if these columns are unknown, because it is not text or its mapping is invalid.
    """
    files = run_files(run)
    if not files.original.is_file() or not is_text(files.original):
        return
    with suppress(ConfigurationError), replaced_whole(files.refused) as draft:
        mapping = mapping_of(run)
        write_without_secrets(files.original, draft, mapping=mapping, options=options_of(run.reading_options))


def mapping_of(run: Run) -> Mapping:
    """Return the mapping sent with the run: its lines, or a preset by name. Never read a file on this machine."""
    if run.mapping_lines.strip():
        return parse_mapping(run.mapping_lines, name=run.mapping_name or None)
    return load_preset(run.mapping_name) if run.mapping_name else NO_MAPPING


def _plan(
    run: Run,
    settings: ModeSettings,
    mapping: Mapping,
    session: Session,
    folder: Path,
    now: datetime,
    memory: Memory | None,
) -> Planned:
    # 1. Note the surroundings before reading the accounts, so that a change in between makes the plan out of date.
    surroundings, files = surroundings_of(run), run_files(run)
    today = today_in(run.school_system, now=now)
    surroundings["planned_on"] = today.isoformat()
    # 2. Export orgs and accounts in one snapshot of the database.
    directory = export_directory(run, folder, now=now, memory=memory)
    # 3. Run the steps.
    plan_input = PlanInput(
        file=file_under_its_name(run, folder),
        mode=MODES[run.mode],
        orgs=directory.orgs,
        accounts=directory.accounts,
        mapping=mapping,
        options=options_of(run.reading_options),
        on_absent=on_absent(settings),
        limits=limits_of(settings),
        history=history_of(run, folder, now=now),
        reading=files.reading,
        kept_passwords=kept_passwords(run),
        known_passwords=known_passwords(run, settings, folder),
        held_addresses=_held_addresses(run, mapping, folder),
        today=today,
        keeps_everyone=run.keeps_everyone,
        creates_disabled=settings.creates_disabled,
        field_settings=field_settings_of(settings),
        two_people=surroundings["told_apart"],
        known=directory.known,
        sha256=run.file_sha256,
    )
    plan, hits = plan_file(session, plan_input, engine=installed.SIS_SYNC_ENGINE)
    # For the guards of later runs.
    surroundings["first_import"] = is_first_import(session, plan.mode, plan_input.history or NO_HISTORY)
    surroundings["leaving"] = count_leaving(session)
    # 4. Encrypt the passwords, and only then remove them and all other secrets from the file.
    keep_passwords(run, session)
    if files.original.is_file():
        keep_what_counts(session, plan.records, files.original, files.reading)
    # 5. Store the plan and its digest.
    digest, told, sums = _store(run, session, plan, directory, plan_input.on_absent)
    return _planned(plan, hits, digest, surroundings, told, sums)


def _plan_undo(run: Run, settings: ModeSettings, session: Session, folder: Path, now: datetime) -> Planned:
    surroundings = surroundings_of(run)
    directory = export_directory(run, folder, now=now)
    plan, hits = plan_undo(
        session,
        changes_of(run, directory.changes),
        mode=mode_of(run),
        orgs=directory.orgs,
        accounts=directory.accounts,
        limits=limits_of(settings),
        history=history_of(run, folder, now=now),
    )
    surroundings["first_import"] = False
    run_files(run).folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # no upload has made it
    with new_plan_files(run) as made:
        sums = _write_plan(session, plan, made, directory, "delete", has_values=True)
        _write_findings(group_undo_findings(session, plan.findings), made)
        digest = _adopt(run, made)
    return _planned(plan, hits, digest, surroundings, {}, sums)


def _planned(
    plan: Plan,
    hits: Sequence[GuardHit],
    digest: str,
    surroundings: dict[str, Any],
    told: dict[str, Any],
    sums: dict[str, Any],
) -> Planned:
    return Planned(
        facts=plan.records.facts.as_dict(),
        counts=plan.counts,
        guards=[hit.as_dict() for hit in hits],
        findings=plan.findings,
        newcomers_with_password=plan.newcomers_with_password,
        passwords_of_existing=plan.passwords_of_existing,
        ended_edits=plan.ended_edits,
        told=told,
        sums=sums,
        digest=digest,
        surroundings=surroundings,
    )


def _held_addresses(run: Run, mapping: Mapping, folder: Path) -> HeldAddresses | None:
    """Return the addresses that people ever had here, if the mapping numbers the addresses that it makes."""
    if not any(each.numbers_addresses for each in mapping.variants or (mapping,)):
        return None
    digests = folder / "held-addresses.csv"
    write_digests(school_system_id=run.school_system_id, target=digests)
    return HeldAddresses(digests, key_of(run.school_system_id))


def file_under_its_name(run: Run, folder: Path) -> Path:
    """Return the stored file under its original name, because messages name the file."""
    original = run_files(run).original
    named = folder / "file" / run.file_name
    named.parent.mkdir()
    if original.is_file():
        try:
            named.hardlink_to(original)
        except OSError:
            shutil.copyfile(original, named)
    return named


def _store(
    run: Run, session: Session, plan: Plan, directory: DirectoryFiles, absent: OnAbsent
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Store the plan and its reports. Return the digest, what the sender of the file may know, and the sums."""
    with new_plan_files(run) as made:
        sums = _write_plan(session, plan, made, directory, absent, has_values=plan.settled.beyond_names)
        write_failed_rows(session, plan.records, made.failed)
        _write_findings(group_findings(session, plan.records, plan.findings), made)
        told = store_told(run, session, plan, made)
        return _adopt(run, made), told, sums


def _write_plan(
    session: Session, plan: Plan, made: RunFiles, directory: DirectoryFiles, absent: OnAbsent, *, has_values: bool
) -> dict[str, Any]:
    """Write the plan. `has_values`: include the values of unchanged rows. Return the sums of the plan."""
    save_plan(session, plan, made.plan, made.unchanged, has_values=has_values)
    sums = sums_of_plan(session, made.plan, mode=plan.mode, on_absent=absent)
    write_seen_accounts(session, directory=directory, plan=made.plan, target=made.seen)
    return sums


def _write_findings(groups: Sequence[FindingGroup], made: RunFiles) -> None:
    findings = json.dumps([group.as_dict() for group in groups], ensure_ascii=False)
    made.findings.write_text(findings, encoding="utf-8")


def _adopt(run: Run, made: RunFiles) -> str:
    """Make these files the plan of the run, and return its digest."""
    digest = plan_digest(*made.stored_plan)
    adopt_plan(made, digest)
    others = other_plans(run, digest)
    if Run.objects.filter(pk=run.pk, state=Run.State.CHECKING).update(plan_digest=digest):
        forget_plans(others)
        run.plan_digest = digest
    return digest
