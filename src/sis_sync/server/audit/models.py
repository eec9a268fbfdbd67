"""The history of accounts, and the log of actions by people and keys."""

from django.db import models
from django.db.models.functions import Now


class AccountChange(models.Model):
    """One change of one account. `before` and `after` contain only the changed fields.

    `run` and `line` are set if a file made the change, `actor` if a person did, and `former_actor` to the ID of the
    person's account if it was removed since.
    """

    # No constraints in the database: PostgreSQL looks up the other row for each row written, a quarter of what a first
    # import cost. Django removes the history with its account and its run. The school system has no index,
    # because the account has the same one.
    school_system = models.ForeignKey(
        "orgs.SchoolSystem", on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    account = models.ForeignKey(
        "accounts.Account", on_delete=models.CASCADE, related_name="changes", db_constraint=False
    )
    run = models.ForeignKey(
        "runs.Run", null=True, on_delete=models.CASCADE, related_name="changes", db_constraint=False
    )
    line = models.BigIntegerField(null=True)
    actor = models.ForeignKey(
        "accounts.Account", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    former_actor = models.BigIntegerField(null=True)
    action = models.CharField(max_length=16)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["actor"], condition=models.Q(actor__isnull=False), name="change_by_actor"),
        ]


class AuditEntry(models.Model):
    """One action of a person or key: signed in, approved, changed a setting. `detail` contains only IDs and counts.

    `former_actor` is the ID of the person's account if it was removed since.
    """

    school_system = models.ForeignKey("orgs.SchoolSystem", on_delete=models.CASCADE, related_name="+", db_index=False)
    actor = models.ForeignKey("accounts.Account", null=True, on_delete=models.SET_NULL, related_name="+")
    former_actor = models.BigIntegerField(null=True)
    api_key = models.ForeignKey("keys.ApiKey", null=True, on_delete=models.SET_NULL, related_name="+")
    action = models.CharField(max_length=40)
    detail = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["school_system", "-at", "-id"], name="audit_by_time")]


class Purge(models.Model):
    """One purge of the whole installation. `ended_at` is None while it runs, or if it was interrupted.

    `counts` contains the number of removed things of each kind.
    """

    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict)
