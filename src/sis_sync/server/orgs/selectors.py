"""Selects the orgs that a person manages, and checks the rights of managers."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Model, QuerySet
from django.http import Http404

from sis_sync.core.errors import NotPermitted
from sis_sync.server.orgs.models import Org, Right, SchoolSystem

if TYPE_CHECKING:
    from sis_sync.server.accounts.models import Account


Row = TypeVar("Row", bound=Model)

MANAGERS_ONLY = "Only managers may do this."
DISTRICT_MANAGERS_ONLY = "Only managers of the district may do this."
ASK_A_MANAGER = "Ask a manager of the district."
MAX_DIGITS = 18


def is_district_manager(*, account: Account) -> bool:
    """True if the account is active and has the right over its whole school system."""
    return account.is_active and Right.objects.filter(account=account, org__kind=Org.Kind.DISTRICT).exists()


def is_manager(*, account: Account) -> bool:
    """True if the account is active and has a right over any org."""
    return account.is_active and Right.objects.filter(account=account).exists()


def managed_orgs(*, actor: Account) -> QuerySet[Org]:
    """Return the orgs that the actor manages: all of the school system, some schools, or none."""
    orgs = Org.objects.filter(school_system_id=actor.school_system_id).order_by("kind", "name", "id")
    if is_district_manager(account=actor):
        return orgs
    return orgs.filter(rights__account=actor) if actor.is_active else orgs.none()


def access_org(*, actor: Account, org_id: int | str) -> Org:
    """Return the org if the actor manages it. Raise Http404 otherwise, whether the org exists or not."""
    return one_or_404(managed_orgs(actor=actor), org_id)


def scope_org(*, actor: Account) -> Org:
    """Return the org that limits the actor's bulk tools: the district, or the first of their schools by name.

    Raise NotPermitted if the actor manages no org.
    """
    org = managed_orgs(actor=actor).first()
    if org is None:
        raise NotPermitted(MANAGERS_ONLY, fix=ASK_A_MANAGER)
    return org


def today_in(school_system: SchoolSystem, *, now: datetime) -> date:
    """Return the day that it is now in the school system's time zone."""
    return now.astimezone(ZoneInfo(school_system.time_zone)).date()


def district_of(school_system: SchoolSystem) -> Org:
    """Return the district of the school system."""
    return Org.objects.get(school_system=school_system, kind=Org.Kind.DISTRICT)


def require_district_manager(*, actor: Account | None, school_system: SchoolSystem) -> None:
    """Raise NotPermitted unless the actor manages this district. None means the server itself, which is permitted."""
    if actor is None:
        return
    if actor.school_system_id != school_system.pk or not is_district_manager(account=actor):
        raise NotPermitted(DISTRICT_MANAGERS_ONLY, fix=ASK_A_MANAGER)


def one_or_404(seen: QuerySet[Row], identifier: int | str) -> Row:
    """Return the row with this ID of those that someone may see. Raise Http404 otherwise, also for an impossible ID."""
    row = seen.filter(pk=number_or_404(identifier)).first()
    if row is None:
        raise Http404
    return row


def number_or_404(identifier: int | str) -> int:
    """Return the ID as a number. Raise Http404 if it is not a possible ID."""
    text = str(identifier)
    if not can_be_number(text):
        raise Http404
    return int(text)


def can_be_number(text: str) -> bool:
    """True if this text is a possible row ID. The database stores at most 18 digits."""
    return text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
