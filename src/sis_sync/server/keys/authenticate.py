"""Makes the secrets of API keys, and accepts the key of a call or refuses it with the reason."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sis_sync.core.api_key import ALPHABET, KIND, NAME_LENGTH, RANDOM_LENGTH, checksum, is_well_formed
from sis_sync.core.errors import KeyRefused
from sis_sync.core.wording import escaped
from sis_sync.server.errors import ApiDisabled
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.lock_wait import write_mark

# Store the use of a key at most this often, because a client may call every second.
LAST_USE_STEP = timedelta(minutes=1)
NEW_KEY = "Make a new key under Bulk Management > Sync Client and put it into client.properties."


@dataclass(frozen=True)
class NewSecret:
    """`text` is shown once and never stored. `prefix` names the key in pages and logs."""

    text: str
    prefix: str
    sha256: str


def make_secret() -> NewSecret:
    """Return a new random secret."""
    body = KIND + "".join(secrets.choice(ALPHABET) for _ in range(NAME_LENGTH + RANDOM_LENGTH))
    text = body + checksum(body)
    return NewSecret(text, prefix_of(text), sha256_of(text))


def prefix_of(text: str) -> str:
    """Return the part of a key that is not secret."""
    return text[: len(KIND) + NAME_LENGTH]


def sha256_of(text: str) -> str:
    """Return the hash that is stored. SHA-256 without a salt is enough, because no one can guess 190 random bits."""
    return hashlib.sha256(text.encode()).hexdigest()


def authenticate_key(*, secret: str, now: datetime, address: str = "", client_version: str = "") -> ApiKey:
    """Return the key with this secret and store its use. Raise KeyRefused, with the reason, if it is not accepted."""
    if not is_well_formed(secret):
        raise KeyRefused("This is not a complete API key.", fix="Copy the key whole; it starts with sissync_.")
    key = ApiKey.objects.select_related("school_system", "org").filter(prefix=prefix_of(secret)).first()
    if key is None or not hmac.compare_digest(key.secret_sha256, sha256_of(secret)):
        raise KeyRefused("The server does not know this API key.", fix=NEW_KEY)
    refuse_unless_taken(key, now)
    # Both are text of headers, the address only behind a proxy. A page shows them, and PostgreSQL stores no NUL.
    note_use(key, now=now, address=escaped(address)[:45], client_version=escaped(client_version)[:40])
    return key


def refuse_unless_taken(key: ApiKey, now: datetime) -> None:
    """Raise KeyRefused if the key is revoked or expired, or ApiDisabled if its school system has disabled the API."""
    refuse_if_over(key, now)
    if not key.school_system.is_client_api_enabled:
        raise ApiDisabled(
            f"The Sync Client API of {key.school_system.name} is disabled.",
            fix="A manager of the district can enable it under Bulk Management > Sync Client.",
        )


def refuse_if_over(key: ApiKey, now: datetime) -> None:
    """Raise KeyRefused if the key was revoked or has expired."""
    if key.revoked_at is not None:
        raise KeyRefused(f"The key {key.prefix} was revoked on {key.revoked_at:%Y-%m-%d}.", fix=NEW_KEY)
    if key.expires_at is not None and key.expires_at <= now:
        raise KeyRefused(f"The key {key.prefix} expired on {key.expires_at:%Y-%m-%d}.", fix=NEW_KEY)


def note_use(key: ApiKey, *, now: datetime, address: str, client_version: str) -> None:
    """Store the time, address and client version of this use, unless a use was stored just before.

    No call waits for it: the mark is dropped while another process writes.
    """
    is_same = (key.last_used_from, key.last_client_version) == (address, client_version)
    if is_same and key.last_used_at is not None and now - key.last_used_at < LAST_USE_STEP:
        return
    key.last_used_at, key.last_used_from, key.last_client_version = now, address, client_version
    write_mark(lambda: key.save(update_fields=["last_used_at", "last_used_from", "last_client_version"]))
