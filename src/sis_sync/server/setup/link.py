"""The one-time setup link, valid for 60 minutes. A file in the data folder stores only the hash of its token."""

import hashlib
import hmac
import json
import secrets
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.urls import reverse

from sis_sync.core.errors import NotPermitted
from sis_sync.core.whole_files import write_whole
from sis_sync.server.orgs.models import SchoolSystem

LIFE = timedelta(minutes=60)
TOKEN_BYTES = 32
NEW_LINK = "Restart the server (sis-sync serve): it prints a new link until someone has used one."


def is_setup_needed() -> bool:
    """True if the database has no school system yet."""
    return not SchoolSystem.objects.exists()


def make_setup_link(*, base_url: str, now: datetime) -> str:
    """Return the address of the setup page, valid for 60 minutes and one use. Raise NotPermitted after its use."""
    if not is_setup_needed():
        raise NotPermitted("This server is set up already.", fix="Sign in as a manager of the district.")
    return f"{base_url.rstrip('/')}{reverse('web:setup', args=[make_token(now=now)])}"


def is_setup_open(*, token: str, now: datetime) -> bool:
    """True if the link with this token may still be used."""
    return is_setup_needed() and is_good(token, now=now)


def link_file() -> Path:
    """Return the file that stores the hash of the token while a link is open."""
    return Path(settings.SIS_SYNC_DATA_FOLDER) / "setup-link.json"


def make_token(*, now: datetime) -> str:
    """Return a new token. Older tokens become invalid."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    link = {"sha256": sha256_of(token), "expires_at": (now + LIFE).isoformat()}
    write_whole(link_file(), [json.dumps(link).encode()])
    return token


def is_good(token: str, *, now: datetime) -> bool:
    """True if this is the token of the current link and the link has not expired."""
    try:
        link = json.loads(link_file().read_text(encoding="ascii"))
    except FileNotFoundError:
        return False
    is_ours = hmac.compare_digest(link["sha256"], sha256_of(token))
    return is_ours and now < datetime.fromisoformat(link["expires_at"])


def use_up() -> None:
    """End the link. Raise NotPermitted if another claim has ended it, so that only one of two claims succeeds."""
    try:
        link_file().unlink()
    except FileNotFoundError as error:
        raise NotPermitted("This setup link has been used.", fix=NEW_LINK) from error


def sha256_of(token: str) -> str:
    """Return the hash of a token, as the file stores it."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
