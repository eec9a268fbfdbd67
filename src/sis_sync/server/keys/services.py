"""Makes, rotates and revokes API keys, and switches the Sync Client API."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from sis_sync.core.modes import MODES
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.services import record
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.keys.authenticate import make_secret, refuse_if_over
from sis_sync.server.keys.limits import MB, file_limit_bytes
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.orgs.models import Org, SchoolSystem
from sis_sync.server.orgs.selectors import access_org, require_district_manager
from sis_sync.server.text import has_controls, tidy

UPLOAD, OWN_RESULTS, READ, APPROVE = "upload", "own_results", "read", "approve"
SCOPES = (UPLOAD, OWN_RESULTS, READ, APPROVE)
ROTATION_OVERLAP = timedelta(days=7)
NAME_LENGTH = 100


@transaction.atomic
def create_key(
    *,
    school_system: SchoolSystem,
    org: Org,
    name: str,
    scopes: Sequence[str] = (UPLOAD,),
    modes: Sequence[str] = tuple(MODES),
    actor: Account | None,
    now: datetime,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key and return it with its secret, which is not stored. The actor must manage `org`.

    Raise ValuesRefused if the name is missing, scopes or modes are missing or unknown, or the expiry is in the past.
    """
    if actor is not None:
        access_org(actor=actor, org_id=org.pk)
    refuse_wrong_values(name=tidy(name), scopes=scopes, modes=modes, expires_at=expires_at, now=now)
    secret = make_secret()
    key = ApiKey.objects.create(
        school_system=school_system,
        org=org,
        name=tidy(name),
        prefix=secret.prefix,
        secret_sha256=secret.sha256,
        scopes=[scope for scope in SCOPES if scope in scopes],
        modes=[mode for mode in MODES if mode in modes],
        created_by=actor,
        created_at=now,
        expires_at=expires_at,
    )
    detail = {"key": key.prefix, "org": org.pk, "scopes": key.scopes, "modes": key.modes}
    record(school_system=school_system, action="key.created", by=actor, detail=detail, now=now)
    return key, secret.text


def refuse_wrong_values(
    *, name: str, scopes: Sequence[str], modes: Sequence[str], expires_at: datetime | None, now: datetime
) -> None:
    """Raise ValuesRefused with every invalid value."""
    errors: dict[str, str] = {}
    if not name or len(name) > NAME_LENGTH or has_controls(name):
        errors["name"] = f"Give the key a name of at most {NAME_LENGTH} characters, for example the computer's."
    if not scopes or not set(scopes) <= set(SCOPES):
        errors["scopes"] = f"Choose what the key may do: {', '.join(SCOPES)}."
    if not modes or not set(modes) <= set(MODES):
        errors["modes"] = f"Choose the modes that the key may use: {', '.join(MODES)}."
    if expires_at is not None and expires_at <= now:
        errors["expires_at"] = "The key would have expired already. Choose a later day."
    if errors:
        raise ValuesRefused(errors)


@transaction.atomic
def rotate_key(*, key: ApiKey, actor: Account | None, now: datetime) -> tuple[ApiKey, str]:
    """Make a new key with the same rights and lifetime. Return it with its secret. The old key works for 7 more days.

    Raise KeyRefused if the old key is revoked or expired.
    """
    refuse_if_over(key, now)
    life = key.expires_at - key.created_at if key.expires_at is not None else None
    new_key, secret = create_key(
        school_system=key.school_system,
        org=key.org,
        name=key.name,
        scopes=key.scopes,
        modes=key.modes,
        actor=actor,
        now=now,
        expires_at=now + life if life is not None else None,
    )
    # The new key may send files as large as the old one, whose files a person may have approved.
    new_key.first_file_mb = file_limit_bytes(key) // MB
    new_key.save(update_fields=["first_file_mb"])
    overlap_ends_at = now + ROTATION_OVERLAP
    key.expires_at = min(key.expires_at or overlap_ends_at, overlap_ends_at)
    key.save(update_fields=["expires_at"])
    detail = {"key": key.prefix, "new_key": new_key.prefix}
    record(school_system=key.school_system, action="key.rotated", by=actor, detail=detail, now=now)
    return new_key, secret


@transaction.atomic
def set_first_file(*, key: ApiKey, size_mb: int | None, actor: Account | None, now: datetime) -> None:
    """Set the size of files until a person has approved a run of the key. None is the limit of the installation."""
    if actor is not None:
        access_org(actor=actor, org_id=key.org_id)
    key.first_file_mb = size_mb
    key.save(update_fields=["first_file_mb"])
    detail = {"key": key.prefix, "first_file_mb": size_mb}
    record(school_system=key.school_system, action="key.size_changed", by=actor, detail=detail, now=now)


@transaction.atomic
def revoke_key(*, key: ApiKey, actor: Account | None, now: datetime) -> None:
    """Revoke the key from now on. Revoking it again changes nothing. The actor must manage its org."""
    if actor is not None:
        access_org(actor=actor, org_id=key.org_id)
    if ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now):
        key.revoked_at = now
        detail = {"key": key.prefix}
        record(school_system=key.school_system, action="key.revoked", by=actor, detail=detail, now=now)


@transaction.atomic
def set_client_api(*, school_system: SchoolSystem, enabled: bool, actor: Account | None, now: datetime) -> None:
    """Enable or disable the Sync Client API. While it is disabled, every key is refused."""
    require_district_manager(actor=actor, school_system=school_system)
    school_system.is_client_api_enabled = enabled
    school_system.save(update_fields=["is_client_api_enabled"])
    action = "client_api.enabled" if enabled else "client_api.disabled"
    record(school_system=school_system, action=action, by=actor, now=now)
