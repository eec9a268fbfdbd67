"""Judges the values of school systems and orgs before they are stored."""

import zoneinfo

from django.utils.text import slugify

from sis_sync.server.orgs.models import Org, SchoolSystem
from sis_sync.server.refused_values import ValuesRefused
from sis_sync.server.tidy import has_controls, tidy

NAME_LENGTH = 200
EXTERNAL_ID_LENGTH = 100
SLUG_LENGTH = 63


def checked_name(name: str) -> str:
    """The name, tidied. ValuesRefused if it is empty or too long."""
    tidied = tidy(name)
    if not tidied or has_controls(tidied):
        raise ValuesRefused({"name": "The name is empty or holds a control character. Enter one."})
    if len(tidied) > NAME_LENGTH:
        raise ValuesRefused({"name": f"The name is longer than {NAME_LENGTH} characters. Shorten it."})
    return tidied


def checked_external_id(external_id: str | None, *, school_system: SchoolSystem, org_id: int | None) -> str | None:
    """The external ID, tidied; None where it is empty. ValuesRefused if too long or if another org has it."""
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


def checked_time_zone(time_zone: str) -> str:
    """The time zone's name. ValuesRefused if there is none of that name."""
    if time_zone not in zoneinfo.available_timezones():
        fault = f'"{time_zone}" is no time zone. Write one such as America/Chicago or UTC.'
        raise ValuesRefused({"time_zone": fault})
    return time_zone


def free_slug(wanted: str) -> str:
    """A slug made of `wanted` that no other school system has."""
    stem = slugify(wanted)[: SLUG_LENGTH - 4] or "district"
    slug, number = stem, 1
    while SchoolSystem.objects.filter(slug=slug).exists():
        number += 1
        slug = f"{stem}-{number}"
    return slug
