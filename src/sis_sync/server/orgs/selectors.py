"""Who manages what, and the orgs a person may see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404

from sis_sync.core.errors import NotPermitted
from sis_sync.core.fields import ACTIVE
from sis_sync.server.orgs.models import Org, Right, SchoolSystem

if TYPE_CHECKING:
    from sis_sync.server.accounts.models import Account


MANAGERS_ONLY = "Only managers may do this."
DISTRICT_MANAGERS_ONLY = "Only managers of the district may do this."
ASK_A_MANAGER = "Ask a manager of the district."
MOST_DIGITS = 18


def is_district_manager(*, account: Account) -> bool:
    """Whether the account is active and has the right over its whole school system."""
    return account.is_active and Right.objects.filter(account=account, org__kind=Org.Kind.DISTRICT).exists()


def is_manager(*, account: Account) -> bool:
    """Whether the account is active and has a right over any org."""
    return account.is_active and Right.objects.filter(account=account).exists()


def managed_orgs(*, actor: Account) -> QuerySet[Org]:
    """The orgs that the actor manages: all of the school system, or only some schools, or none."""
    orgs = Org.objects.filter(school_system_id=actor.school_system_id).order_by("kind", "name", "id")
    if is_district_manager(account=actor):
        return orgs
    return orgs.filter(rights__account=actor) if actor.is_active else orgs.none()


def access_org(*, actor: Account, org_id: int | str) -> Org:
    """The org, if the actor manages it. An absent one, another's, and another school system's are all Http404."""
    org = managed_orgs(actor=actor).filter(pk=number_or_404(org_id)).first()
    if org is None:
        raise Http404
    return org


def scope_org(*, actor: Account) -> Org:
    """What binds the actor's bulk tools: the district, or their school. NotPermitted for those who manage nothing.

    Of several schools it is the first by name.
    """
    org = managed_orgs(actor=actor).first()
    if org is None:
        raise NotPermitted(MANAGERS_ONLY, fix=ASK_A_MANAGER)
    return org


def district_of(school_system: SchoolSystem) -> Org:
    """The one district of the school system."""
    return Org.objects.get(school_system=school_system, kind=Org.Kind.DISTRICT)


def require_district_manager(*, actor: Account | None, school_system: SchoolSystem) -> None:
    """NotPermitted unless the actor manages this district; None is the server itself and may."""
    if actor is None:
        return
    if actor.school_system_id != school_system.pk or not is_district_manager(account=actor):
        raise NotPermitted(DISTRICT_MANAGERS_ONLY, fix=ASK_A_MANAGER)


def number_or_404(identifier: int | str) -> int:
    """The ID as a database number; what cannot be one answers like an ID that does not exist."""
    text = str(identifier)
    if not can_be_number(text):
        raise Http404
    return int(text)


def can_be_number(text: str) -> bool:
    """Whether a row may have this number: one with more digits fits into no database."""
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS


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
