"""The last active manager of the district stays, whatever is done to accounts and rights."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from sis_sync.core.errors import NotPermitted
from sis_sync.core.fields import ACTIVE
from sis_sync.server.orgs.models import Org, Right, SchoolSystem


@contextmanager
def keeping_a_manager(school_system_id: int) -> Iterator[None]:
    """A transaction that is undone, with NotPermitted, if it takes the district its last active manager.

    The row of the school system is locked first: of two managers who remove each other at once, one waits.
    History that refers to it may still be added meanwhile, or those who hold an account would wait for us in a circle.
    """
    with transaction.atomic():
        SchoolSystem.objects.select_for_update(no_key=True).get(pk=school_system_id)
        had_manager = has_active_manager(school_system_id)
        yield
        if had_manager and not has_active_manager(school_system_id):
            raise NotPermitted(
                "This would leave the district without an active manager.",
                fix="Give somebody else the right to manage the district first.",
            )


def has_active_manager(school_system_id: int) -> bool:
    """Whether anybody who can sign in manages the district."""
    return Right.objects.filter(
        org__school_system_id=school_system_id,
        org__kind=Org.Kind.DISTRICT,
        account__status=ACTIVE,
        account__deleted_at__isnull=True,
    ).exists()
