"""History of accounts, and the log of what people and keys did."""

from django.db import models
from django.db.models.functions import Now


class AccountChange(models.Model):
    """One change of one account: before and after hold the changed fields only.

    `run` and `line` are set for a change by a file, `actor` for one by hand.
    """

    # The account's own school system, which the account holds fast: to check and index it again a row costs a tenth of
    # a first import.
    school_system = models.ForeignKey(
        "orgs.SchoolSystem", on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="changes")
    run = models.ForeignKey("runs.Run", null=True, on_delete=models.CASCADE, related_name="changes")
    line = models.BigIntegerField(null=True)
    actor = models.ForeignKey(
        "accounts.Account", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    action = models.CharField(max_length=16)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["actor"], condition=models.Q(actor__isnull=False), name="change_by_actor"),
        ]


class AuditEntry(models.Model):
    """One deed of a person or key: signed in, approved, changed a setting. `detail` holds IDs and counts only."""

    school_system = models.ForeignKey("orgs.SchoolSystem", on_delete=models.CASCADE, related_name="+")
    actor = models.ForeignKey("accounts.Account", null=True, on_delete=models.SET_NULL, related_name="+")
    api_key = models.ForeignKey("keys.ApiKey", null=True, on_delete=models.SET_NULL, related_name="+")
    action = models.CharField(max_length=40)
    detail = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=Now())
