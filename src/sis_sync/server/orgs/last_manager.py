"""Keeps at least one active manager in a district when accounts or rights change."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from sis_sync.core.errors import NotPermitted
from sis_sync.core.fields import ACTIVE
from sis_sync.server.orgs.models import Org, Right, SchoolSystem


@contextmanager
def keeping_a_manager(school_system_id: int) -> Iterator[None]:
    """Run the block in a transaction. Roll back and raise NotPermitted if the district lost its last active manager."""
    with transaction.atomic():
        # Lock first, so that one of two managers who remove each other at once waits. Do not lock the key: other
        # transactions that have an account lock add history that refers to this row, and would deadlock with this one.
        SchoolSystem.objects.select_for_update(no_key=True).get(pk=school_system_id)
        had_manager = has_active_manager(school_system_id)
        yield
        if had_manager and not has_active_manager(school_system_id):
            raise NotPermitted(
                "This would leave the district without an active manager.",
                fix="Give someone else the right to manage the district first.",
            )


def has_active_manager(school_system_id: int) -> bool:
    """True if someone who can sign in manages the district."""
    return active_managers(school_system_id) > 0


def active_managers(school_system_id: int) -> int:
    """Count the people who manage the district and can sign in."""
    return Right.objects.filter(
        org__school_system_id=school_system_id,
        org__kind=Org.Kind.DISTRICT,
        account__status=ACTIVE,
        account__deleted_at__isnull=True,
    ).count()
