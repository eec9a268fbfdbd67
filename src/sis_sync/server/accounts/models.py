"""The one custom user model. No rules here: services write, selectors read."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower, Now

from sis_sync.core.fields import ACTIVE, DISABLED, STATUSES, STUDENT, USER_TYPES

BY_NAME = ("last_name", "first_name", "id")
LIVE = models.Q(deleted_at__isnull=True)


class Account(AbstractBaseUser):
    """A person of a school system. Managed by rosters if `custom_id` is set, else unmanaged.

    `grade` is for students only, `position` for all others. `deleted_at` is set while the account is deleted and
    can still be restored. Other accounts may use its address. `is_held_by_hand` is true if a person disabled or deleted
    the account: no file enables or restores it. Sessions that began before `sessions_ended_at` are invalid. Services
    that disable or delete an account set it. If `must_change_password` is set, someone else knows the password: after
    signing in, the person can only choose another one. `edited_names` are the names that a person changed here
    (edited_names.py).
    """

    school_system = models.ForeignKey("orgs.SchoolSystem", on_delete=models.CASCADE, related_name="accounts")
    org = models.ForeignKey("orgs.Org", on_delete=models.PROTECT, related_name="accounts", db_index=False)
    first_name = models.CharField(max_length=100)
    middle_name = models.CharField(max_length=100, blank=True, default="")
    last_name = models.CharField(max_length=100)
    email = models.CharField(max_length=254)
    custom_id = models.CharField(max_length=64, null=True, blank=True)
    user_type = models.CharField(max_length=13, choices=[(value, value) for value in USER_TYPES])
    position = models.CharField(max_length=100, blank=True, default="")
    grade = models.CharField(max_length=11, blank=True, default="")
    status = models.CharField(max_length=8, choices=[(value, value) for value in STATUSES], default=ACTIVE)
    is_protected = models.BooleanField(default=False)
    protected_reason = models.CharField(max_length=200, blank=True, default="")
    is_held_by_hand = models.BooleanField(default=False)
    must_change_password = models.BooleanField(default=False, db_default=False)
    edited_names = models.JSONField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    sessions_ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects = BaseUserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school_system", "custom_id"], name="account_custom_id_unique"),
            models.UniqueConstraint(
                "school_system",
                Lower("email"),
                condition=models.Q(deleted_at__isnull=True),
                name="account_email_unique",
            ),
        ]
        # Beside the list of all people, these answer for the few whom a filter leaves. Writing them costs little.
        indexes = [
            models.Index(fields=["school_system", *BY_NAME], name="account_by_name"),
            models.Index(fields=["org"], condition=LIVE, name="account_by_org"),
            models.Index(
                fields=["school_system", "user_type", *BY_NAME],
                condition=LIVE & ~models.Q(user_type=STUDENT),
                name="account_no_student",
            ),
            models.Index(
                fields=["school_system", "user_type", *BY_NAME],
                condition=LIVE & models.Q(status=DISABLED),
                name="account_disabled",
            ),
            models.Index(
                fields=["school_system", *BY_NAME],
                condition=models.Q(deleted_at__isnull=False),
                name="account_deleted",
            ),
        ]

    def __str__(self) -> str:
        return f"account {self.pk}"

    @property
    def full_name(self) -> str:
        """Return the first, middle and last name, separated by single spaces."""
        return " ".join(part for part in (self.first_name, self.middle_name, self.last_name) if part)

    @property
    def is_active(self) -> bool:  # type: ignore[override]  # Django's plain attribute, read only here
        """True if the account may sign in: it is Active and not deleted."""
        return self.status == ACTIVE and self.deleted_at is None

    def get_session_auth_hash(self) -> str:
        """Return a hash of the password and `sessions_ended_at`. Sessions with a different hash are invalid."""
        return f"{super().get_session_auth_hash()}:{self.sessions_ended_at}"


class FilePassword(models.Model):
    """The password that the file of a run brought for an account. The password itself is in no table.

    It waits until a job has hashed it. `line` is its line in the file. `fingerprint` is a keyed hash of the last
    password that a file brought and that the job has dealt with: the same one is not set again, so that one that
    the person has chosen since stays. Waiting and overtaken ones have the fingerprint of the one before.
    """

    class Outcome(models.TextChoices):
        WAITING = "waiting", "Being prepared"
        OVERTAKEN = "overtaken", "Someone has set another password; this one is only remembered"
        SET = "set", "Set"
        NOT_NEEDED = "not_needed", "Not needed: the account has rights, or someone has set another password"
        LOST = "lost", "Lost: its key is not here"

    account = models.OneToOneField(Account, primary_key=True, on_delete=models.CASCADE, related_name="file_password")
    run = models.ForeignKey("runs.Run", null=True, on_delete=models.SET_NULL, related_name="passwords", db_index=False)
    line = models.BigIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.WAITING)
    fingerprint = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["run", "outcome"], name="file_password_by_run")]


class ClaimCode(models.Model):
    """The code with which a person claims an account and sets its password. Only a keyed hash of it is stored.

    It works once, until `expires_at`: then, or if the password is set in another way, the row is removed.
    """

    account = models.OneToOneField(Account, primary_key=True, on_delete=models.CASCADE, related_name="claim_code")
    code_hash = models.CharField(max_length=64, db_index=True)
    expires_at = models.DateTimeField(db_index=True)


class HeldAddress(models.Model):
    """An address that an account here had once, as a keyed hash (see held_addresses.py). It outlives the account."""

    school_system = models.ForeignKey("orgs.SchoolSystem", on_delete=models.CASCADE, related_name="+", db_index=False)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school_system", "digest"], name="held_address_once")]


class FeedEntry(models.Model):
    """An entry of the change feed: this account was changed, added or removed. Only the database writes entries.

    Without `account_id` it stands for all accounts of the school system, without `school_system_id` for those of every
    one. They are no foreign keys, because entries outlive accounts. `transaction_id` is the writer's transaction on
    PostgreSQL, 0 on SQLite. While an entry for all `is_open`, its transaction writes no others (see feed.py).
    """

    school_system_id = models.BigIntegerField(null=True)
    account_id = models.BigIntegerField(null=True)
    transaction_id = models.BigIntegerField(db_default=0)
    is_open = models.BooleanField(db_default=False)
    written_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["school_system_id"], condition=models.Q(is_open=True), name="feed_entry_open"),
        ]
