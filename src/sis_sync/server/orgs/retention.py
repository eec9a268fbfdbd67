"""How long a school system keeps its data: read the setting, and change it within its bounds."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from sis_sync.core.limits import Retention
from sis_sync.server.audit.services import record
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.models import SchoolSystem
from sis_sync.server.orgs.selectors import require_district_manager

if TYPE_CHECKING:
    from sis_sync.server.accounts.models import Account

# The fewest and the most days. A plan may wait for 7 days, and a run can be undone for 30.
BOUNDS: dict[str, tuple[int, int]] = {
    "files_days": (7, 365),
    "reports_days": (30, 3 * 365),
    "history_days": (365, 10 * 365),
}
SUBJECTS: dict[str, str] = {
    "files_days": "Files as they were sent",
    "reports_days": "Plans and results",
    "history_days": "History and audit log",
}


def retention_of(school_system: SchoolSystem) -> Retention:
    """Return the days after which the data of this school system is removed."""
    return Retention(**{name: getattr(school_system, f"keep_{name}") for name in BOUNDS})


def check_retention(retention: Retention) -> None:
    """Raise ValuesRefused with every value that is out of bounds, or that would outlast what it belongs to."""
    errors: dict[str, str] = {}
    for name, (least, most) in BOUNDS.items():
        if not least <= getattr(retention, name) <= most:
            errors[name] = f"{SUBJECTS[name]}: enter {least:,} to {most:,} days."
    if not errors and retention.files_days > retention.reports_days:
        errors["files_days"] = (
            "A file cannot be kept for longer than its results. Enter fewer days, or keep those longer."
        )
    if not errors and retention.reports_days > retention.history_days:
        errors["reports_days"] = "Results cannot be kept for longer than the history. Enter fewer days here."
    if errors:
        raise ValuesRefused(errors)


def is_shorter(retention: Retention, *, than: Retention) -> bool:
    """True if some data would be removed sooner than now."""
    return any(getattr(retention, field.name) < getattr(than, field.name) for field in fields(Retention))


@transaction.atomic
def set_retention(
    *, school_system: SchoolSystem, retention: Retention, actor: Account | None, now: datetime
) -> SchoolSystem:
    """Change the retention from the next purge on. Raise ValuesRefused, or NotPermitted for anyone but a manager."""
    require_district_manager(actor=actor, school_system=school_system)
    check_retention(retention)
    current = SchoolSystem.objects.select_for_update().get(pk=school_system.pk)
    before = retention_of(current)
    if retention == before:
        return current
    for name in BOUNDS:
        setattr(current, f"keep_{name}", getattr(retention, name))
    current.save(update_fields=[f"keep_{name}" for name in BOUNDS])
    detail = {"before": asdict(before), "after": asdict(retention)}
    record(school_system=current, action="retention.updated", by=actor, detail=detail, now=now)
    return current
