"""Makes and changes school systems, orgs, networks and rights."""

from __future__ import annotations

import functools
import ipaddress
import zoneinfo
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.text import slugify

from sis_sync.core.errors import NotPermitted
from sis_sync.core.fields import USER_TYPES
from sis_sync.server.audit.services import record
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.import_csv import ImportedOrgs, read_org_lines
from sis_sync.server.orgs.last_manager import keeping_a_manager
from sis_sync.server.orgs.models import Org, Right, SchoolSystem
from sis_sync.server.orgs.selectors import ASK_A_MANAGER, access_org, district_of, require_district_manager
from sis_sync.server.text import has_controls, tidy

if TYPE_CHECKING:
    from sis_sync.server.accounts.models import Account


NAME_LENGTH = 200
EXTERNAL_ID_LENGTH = 100
SLUG_LENGTH = 63
MOST_NETWORKS = 100
# The widest network that may be named: no school system owns a wider one.
WIDEST_PREFIX = {4: 16, 6: 32}
NETWORK_EXAMPLES = "198.51.100.0/24, or one address such as 198.51.100.7"


def checked_name(name: str) -> str:
    """Return the name, tidied. Raise ValuesRefused if it is empty or too long."""
    tidied = tidy(name)
    if not tidied or has_controls(tidied):
        raise ValuesRefused({"name": "The name is empty or contains a control character. Enter one."})
    if len(tidied) > NAME_LENGTH:
        raise ValuesRefused({"name": f"The name is longer than {NAME_LENGTH} characters. Shorten it."})
    return tidied


def checked_external_id(external_id: str | None, *, school_system: SchoolSystem, org_id: int | None) -> str | None:
    """Return the external ID, tidied, or None if it is empty. Raise ValuesRefused if it is too long or taken."""
    tidied = tidy(external_id or "")
    if len(tidied) > EXTERNAL_ID_LENGTH or has_controls(tidied):
        fault = f"Use the SIS building ID: at most {EXTERNAL_ID_LENGTH} characters, none of them a control character."
        raise ValuesRefused({"external_id": fault})
    if not tidied:
        return None
    holder = Org.objects.filter(school_system=school_system, external_id=tidied).first()
    if holder is not None and holder.pk != org_id:
        fault = f'{holder.name} has the external ID "{tidied}". Use another one, or change it there first.'
        raise ValuesRefused({"external_id": fault})
    return tidied


@functools.cache
def time_zone_names() -> frozenset[str]:
    """Return the names of all time zones. Finding them takes as long as hundreds of queries."""
    return frozenset(zoneinfo.available_timezones())


def checked_time_zone(time_zone: str) -> str:
    """Return the name of the time zone. Raise ValuesRefused for an unknown name."""
    if time_zone not in time_zone_names():
        fault = f'"{time_zone}" is not a time zone. Write one such as America/Chicago or UTC.'
        raise ValuesRefused({"time_zone": fault})
    return time_zone


def free_slug(wanted: str) -> str:
    """Return an unused slug based on `wanted`."""
    stem = slugify(wanted)[: SLUG_LENGTH - 4] or "district"
    slug, number = stem, 1
    while SchoolSystem.objects.filter(slug=slug).exists():
        number += 1
        slug = f"{stem}-{number}"
    return slug


@transaction.atomic
def create_org(
    *,
    school_system: SchoolSystem,
    kind: str,
    name: str,
    external_id: str | None,
    actor: Account | None,
    now: datetime,
) -> Org:
    """Make a school. Raise ValuesRefused for a second district, or for an invalid name or external ID."""
    require_district_manager(actor=actor, school_system=school_system)
    if kind != Org.Kind.SCHOOL:
        raise ValuesRefused({"kind": "A school system has one district, which is there already. Choose school."})
    org = Org.objects.create(
        school_system=school_system,
        kind=kind,
        name=checked_name(name),
        external_id=checked_external_id(external_id, school_system=school_system, org_id=None),
        external_id_since=now,
    )
    record(school_system=school_system, action="org.created", by=actor, detail={"org": org.pk}, now=now)
    return org


@transaction.atomic
def update_org(*, org: Org, name: str, external_id: str | None, actor: Account | None, now: datetime) -> Org:
    """Change the name and external ID of an org that the actor manages. Raise ValuesRefused if one is invalid."""
    if actor is not None:
        access_org(actor=actor, org_id=org.pk)
    before = {"name": org.name, "external_id": org.external_id}
    org.name = checked_name(name)
    org.external_id = checked_external_id(external_id, school_system=org.school_system, org_id=org.pk)
    if org.external_id != before["external_id"]:
        org.external_id_since = now
    org.save(update_fields=["name", "external_id", "external_id_since"])
    detail = {"org": org.pk, "before": before, "after": {"name": org.name, "external_id": org.external_id}}
    record(school_system=org.school_system, action="org.updated", by=actor, detail=detail, now=now)
    return org


@transaction.atomic
def import_orgs(*, school_system: SchoolSystem, text: str, actor: Account | None, now: datetime) -> ImportedOrgs:
    """Create and update the orgs of a CSV (`external_id,name,kind`), all of them or none."""
    require_district_manager(actor=actor, school_system=school_system)
    district = district_of(school_system)
    created = updated = 0
    lines = read_org_lines(text)
    known = {org.external_id: org for org in Org.objects.filter(school_system=school_system)}
    for line in lines:
        org = district if line.kind == Org.Kind.DISTRICT else known.get(line.external_id)
        if org is not None and org.kind != line.kind:
            raise ValuesRefused({f"line {line.number}": f"Line {line.number}: {line.external_id} is the district."})
        if org is None:
            create_org(
                school_system=school_system,
                kind=line.kind,
                name=line.name,
                external_id=line.external_id,
                actor=actor,
                now=now,
            )
            created += 1
        elif (org.name, org.external_id) != (line.name, line.external_id):
            update_org(org=org, name=line.name, external_id=line.external_id, actor=actor, now=now)
            updated += 1
    return ImportedOrgs(created=created, updated=updated, unchanged=len(lines) - created - updated)


@transaction.atomic
def set_networks(*, school_system: SchoolSystem, text: str, actor: Account | None, now: datetime) -> None:
    """Name the schools' own networks, one on each line of the text. Raise ValuesRefused if a line is not a network."""
    require_district_manager(actor=actor, school_system=school_system)
    networks = read_networks(text)
    school_system.networks = networks
    school_system.save(update_fields=["networks"])
    detail = {"networks": len(networks)}
    record(school_system=school_system, action="networks.changed", by=actor, detail=detail, now=now)


@transaction.atomic
def set_own_names(
    *, school_system: SchoolSystem, user_types: Sequence[str], actor: Account | None, now: datetime
) -> None:
    """Let people of these user types change the names that are shown of them, and no others."""
    require_district_manager(actor=actor, school_system=school_system)
    school_system.change_own_names = [each for each in USER_TYPES if each in user_types]
    school_system.save(update_fields=["change_own_names"])
    detail = {"user_types": school_system.change_own_names}
    record(school_system=school_system, action="own_names.changed", by=actor, detail=detail, now=now)


def read_networks(text: str) -> list[str]:
    """Return the networks in the text in their usual form, each once."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_NETWORKS:
        raise ValuesRefused({"networks": f"These are {len(lines)} networks; at most {MOST_NETWORKS} can be named."})
    return list(dict.fromkeys(_network(line) for line in lines))


def _network(line: str) -> str:
    try:
        network = ipaddress.ip_network(line, strict=False)
    except ValueError:
        fault = f'"{line[:50]}" is not a network. Write one on each line, for example {NETWORK_EXAMPLES}.'
        raise ValuesRefused({"networks": fault}) from None
    widest = WIDEST_PREFIX[network.version]
    if network.prefixlen < widest:
        fault = f"{network} is wider than /{widest}. Name only networks that belong to your schools."
        raise ValuesRefused({"networks": fault})
    return str(network)


@transaction.atomic
def give_right(*, account: Account, org: Org, actor: Account | None, now: datetime) -> Right:
    """Grant the account the right over `org`, unless it has it. Raise NotPermitted unless a district manager asks."""
    require_district_manager(actor=actor, school_system=org.school_system)
    if account.school_system_id != org.school_system_id or account.deleted_at is not None:
        raise NotPermitted("This account cannot manage this org.", fix=ASK_A_MANAGER)
    right, is_new = Right.objects.get_or_create(account=account, org=org)
    if is_new:
        detail = {"account": account.pk, "org": org.pk}
        record(school_system=org.school_system, action="right.given", by=actor, detail=detail, now=now)
    return right


def take_right(*, account: Account, org: Org, actor: Account | None, now: datetime) -> None:
    """Remove the right. Raise NotPermitted if the district would lose its last active manager."""
    require_district_manager(actor=actor, school_system=org.school_system)
    with keeping_a_manager(org.school_system_id):
        taken, _ = Right.objects.filter(account=account, org=org).delete()
        if taken:
            detail = {"account": account.pk, "org": org.pk}
            record(school_system=org.school_system, action="right.taken", by=actor, detail=detail, now=now)
