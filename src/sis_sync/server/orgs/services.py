"""Makes and changes school systems, orgs and rights."""

from datetime import datetime

from django.db import transaction

from sis_sync.core.errors import NotPermitted
from sis_sync.core.modes import MODES, PARTIAL
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.services import record
from sis_sync.server.orgs.import_orgs import ImportedOrgs, read_org_lines
from sis_sync.server.orgs.last_manager import keeping_a_manager
from sis_sync.server.orgs.models import Org, Right, SchoolSystem
from sis_sync.server.orgs.selectors import ASK_A_MANAGER, access_org, district_of, require_district_manager
from sis_sync.server.orgs.values import checked_external_id, checked_name, checked_time_zone, free_slug
from sis_sync.server.refused_values import ValuesRefused
from sis_sync.server.runs.models import ModeSettings


@transaction.atomic
def create_school_system(*, name: str, slug: str = "", time_zone: str = "UTC", now: datetime) -> SchoolSystem:
    """The new school system, with its district of the same name and the settings of the four modes.

    The slug is made of the name where none is given. Only partial runs need no approval.
    """
    school_system = SchoolSystem.objects.create(
        name=checked_name(name),
        slug=free_slug(slug or name),
        time_zone=checked_time_zone(time_zone),
        created_at=now,
    )
    Org.objects.create(school_system=school_system, kind=Org.Kind.DISTRICT, name=school_system.name)
    ModeSettings.objects.bulk_create(
        ModeSettings(school_system=school_system, mode=mode, requires_approval=mode != PARTIAL.name) for mode in MODES
    )
    record(school_system=school_system, action="school_system.created", now=now)
    return school_system


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
    """The new school. ValuesRefused for a second district, a name or an external ID that cannot be taken."""
    require_district_manager(actor=actor, school_system=school_system)
    if kind != Org.Kind.SCHOOL:
        raise ValuesRefused({"kind": "A school system has one district, which is there already. Choose school."})
    org = Org.objects.create(
        school_system=school_system,
        kind=kind,
        name=checked_name(name),
        external_id=checked_external_id(external_id, school_system=school_system, org_id=None),
    )
    record(school_system=school_system, action="org.created", actor=actor, detail={"org": org.pk}, now=now)
    return org


@transaction.atomic
def update_org(*, org: Org, name: str, external_id: str | None, actor: Account | None, now: datetime) -> Org:
    """The org with its new name and external ID. Its own managers may; ValuesRefused if they cannot be taken."""
    if actor is not None:
        access_org(actor=actor, org_id=org.pk)
    before = {"name": org.name, "external_id": org.external_id}
    org.name = checked_name(name)
    org.external_id = checked_external_id(external_id, school_system=org.school_system, org_id=org.pk)
    org.save(update_fields=["name", "external_id"])
    detail = {"org": org.pk, "before": before, "after": {"name": org.name, "external_id": org.external_id}}
    record(school_system=org.school_system, action="org.updated", actor=actor, detail=detail, now=now)
    return org


@transaction.atomic
def import_orgs(*, school_system: SchoolSystem, text: str, actor: Account | None, now: datetime) -> ImportedOrgs:
    """How many orgs a CSV (`external_id,name,kind`) created and updated. All of it counts, or none."""
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
def give_right(*, account: Account, org: Org, actor: Account | None, now: datetime) -> Right:
    """The right over `org`, new or there already. NotPermitted but for managers of the same district."""
    require_district_manager(actor=actor, school_system=org.school_system)
    if account.school_system_id != org.school_system_id or account.deleted_at is not None:
        raise NotPermitted("This account cannot manage this org.", fix=ASK_A_MANAGER)
    right, is_new = Right.objects.get_or_create(account=account, org=org)
    if is_new:
        detail = {"account": account.pk, "org": org.pk}
        record(school_system=org.school_system, action="right.given", actor=actor, detail=detail, now=now)
    return right


def take_right(*, account: Account, org: Org, actor: Account | None, now: datetime) -> None:
    """Take the right away. NotPermitted if the district would be left without an active manager."""
    require_district_manager(actor=actor, school_system=org.school_system)
    with keeping_a_manager(org.school_system_id):
        taken, _ = Right.objects.filter(account=account, org=org).delete()
        if taken:
            detail = {"account": account.pk, "org": org.pk}
            record(school_system=org.school_system, action="right.taken", actor=actor, detail=detail, now=now)
