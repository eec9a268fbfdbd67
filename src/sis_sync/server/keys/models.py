"""API keys. Only the hash of the secret is stored."""

from django.db import models
from django.db.models.functions import Now


class ApiKey(models.Model):
    """The key of a sync client. `scopes` are some of SCOPES in keys/services.py, `modes` some of the four modes.

    `org` limits the runs that the key may send, read and approve. `first_file_mb` limits its files until a person has
    approved one of its runs; None is the limit of the installation.
    """

    school_system = models.ForeignKey("orgs.SchoolSystem", on_delete=models.CASCADE, related_name="api_keys")
    org = models.ForeignKey("orgs.Org", on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, unique=True)
    secret_sha256 = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    modes = models.JSONField(default=list)
    first_file_mb = models.PositiveIntegerField(null=True, blank=True)
    created_by = models.ForeignKey("accounts.Account", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_from = models.CharField(max_length=45, blank=True, default="")
    last_client_version = models.CharField(max_length=40, blank=True, default="")

    def __str__(self) -> str:
        return f"key {self.prefix}"
