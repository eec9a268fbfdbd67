"""The API keys that a person may see."""

from django.db.models import QuerySet

from sis_sync.server.accounts.models import Account
from sis_sync.server.keys.authenticate import prefix_of, sha256_of
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.orgs.selectors import managed_orgs, one_or_404


def keys_of(*, actor: Account) -> QuerySet[ApiKey]:
    """Return the keys of the orgs that the actor manages, newest first, including revoked keys."""
    keys = ApiKey.objects.filter(org__in=managed_orgs(actor=actor)).select_related("org", "created_by")
    return keys.order_by("-created_at", "-id")


def access_key(*, actor: Account, key_id: int | str) -> ApiKey:
    """Return the key if the actor manages its org. Raise Http404 otherwise, whether the key exists or not."""
    return one_or_404(keys_of(actor=actor), key_id)


def key_of_secret(*, actor: Account, secret: str) -> ApiKey | None:
    """Return the key with this secret if the actor manages its org."""
    return keys_of(actor=actor).filter(prefix=prefix_of(secret), secret_sha256=sha256_of(secret)).first()
