"""Runs and the settings of each mode. No rules here: services write, selectors read."""

from django.db import models
from django.db.models.functions import Now

from sis_sync.core import run_states
from sis_sync.core.guards import STANDARD_GUARD_LIMITS
from sis_sync.core.modes import MODES, RUN_MODES, STANDARD_FIELD_SETTINGS
from sis_sync.core.plan import ACCOUNT_ACTIONS

MODE_CHOICES = [(name, name) for name in MODES]
RUN_MODE_CHOICES = [(name, name) for name in RUN_MODES]


class ModeSettings(models.Model):
    """The settings of one mode in one school system. Percentages are of accounts or rows.

    `sets_...` are the field settings (core/modes.py). `one_person_asked_by` asked to end the rule of two
    persons; the rule holds until another manager agrees.
    """

    class OnAbsent(models.TextChoices):
        DELETE = "delete", "Delete (restorable for 180 days)"
        DISABLE = "disable", "Disable"
        NOTHING = "nothing", "Nothing"

    class Names(models.TextChoices):
        UNLESS_EDITED = "unless_edited", "Unless edited here"
        ALWAYS = "always", "Always"
        NEVER = "never", "Never: only when an account is created or restored"

    class Sets(models.TextChoices):
        ON = "on", "On"
        OFF = "off", "Off"
        CREATE = "create", "On create only"

    class Passwords(models.TextChoices):
        OFF = "off", "Off: only when an account is created"
        ON = "on", "On"

    school_system = models.ForeignKey("orgs.SchoolSystem", on_delete=models.CASCADE, related_name="mode_settings")
    mode = models.CharField(max_length=8, choices=MODE_CHOICES)
    requires_approval = models.BooleanField(default=True)
    on_absent = models.CharField(max_length=7, choices=OnAbsent.choices, default=OnAbsent.DELETE)
    deletions_percent = models.PositiveSmallIntegerField(default=STANDARD_GUARD_LIMITS.deletions_percent)
    deletions_count = models.PositiveIntegerField(default=STANDARD_GUARD_LIMITS.deletions_count)
    deletions_slice_percent = models.PositiveSmallIntegerField(default=STANDARD_GUARD_LIMITS.deletions_slice_percent)
    failed_rows_percent = models.PositiveSmallIntegerField(default=STANDARD_GUARD_LIMITS.failed_rows_percent)
    needs_two_persons = models.BooleanField(default=False)
    one_person_asked_by = models.ForeignKey("accounts.Account", null=True, on_delete=models.SET_NULL, related_name="+")
    one_person_asked_at = models.DateTimeField(null=True, blank=True)
    creates_disabled = models.BooleanField(default=False)
    sets_names = models.CharField(max_length=13, choices=Names.choices, default=STANDARD_FIELD_SETTINGS.names)
    sets_passwords = models.CharField(
        max_length=3, choices=Passwords.choices, default=STANDARD_FIELD_SETTINGS.passwords
    )
    sets_email = models.CharField(max_length=6, choices=Sets.choices, default=Sets.ON)
    sets_school_district_external_id = models.CharField(max_length=6, choices=Sets.choices, default=Sets.ON)
    sets_user_type = models.CharField(max_length=6, choices=Sets.choices, default=Sets.ON)
    sets_position = models.CharField(max_length=6, choices=Sets.choices, default=Sets.ON)
    sets_grade = models.CharField(max_length=6, choices=Sets.choices, default=Sets.ON)
    sets_status = models.CharField(max_length=6, choices=Sets.choices, default=Sets.ON)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school_system", "mode"], name="settings_once_per_mode")]


class Run(models.Model):
    """One file on its way through the steps. Only `runs/states` changes `state`, by compare-and-set.

    `based_on` is the earlier run that this one takes back (modes `undo` and `restore`, which have no file), or whose
    failed rows it corrects.
    `file_removed_at` and `report_removed_at` are set when a purge removes the file, or the plan and the results.
    `settings_used` contains the settings and surroundings that the plan was made with (`snapshot.surroundings_of`).
    If they change, the plan is out of date. `newcomers_with_password` counts the accounts that the plan creates with a
    password of the file, `passwords_of_existing` the other accounts that get one. `reading_options` are the sender's
    options, written as in a mapping. `told` has the counts and findings for a key without the scope read.
    """

    class State(models.TextChoices):
        RECEIVED = run_states.RECEIVED, "Received"
        CHECKING = run_states.CHECKING, "Checking"
        REFUSED = run_states.REFUSED, "File refused"
        WAITING = run_states.WAITING, "Waiting for approval"
        HELD = run_states.HELD, "On hold"
        APPROVED = run_states.APPROVED, "Approved"
        APPLYING = run_states.APPLYING, "Applying"
        APPLIED = run_states.APPLIED, "Applied"
        REJECTED = run_states.REJECTED, "Rejected"
        SUPERSEDED = run_states.SUPERSEDED, "Superseded"
        EXPIRED = run_states.EXPIRED, "Expired"
        OUT_OF_DATE = run_states.OUT_OF_DATE, "Out of date"
        FAILED = run_states.FAILED, "Failed"
        CANCELLED = run_states.CANCELLED, "Cancelled"

    school_system = models.ForeignKey("orgs.SchoolSystem", on_delete=models.CASCADE, related_name="runs")
    mode = models.CharField(max_length=8, choices=RUN_MODE_CHOICES)
    based_on = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="followers")
    state = models.CharField(max_length=11, choices=State.choices, default=State.RECEIVED)
    scope_org = models.ForeignKey("orgs.Org", on_delete=models.PROTECT, related_name="+")
    uploaded_by = models.ForeignKey("accounts.Account", null=True, on_delete=models.SET_NULL, related_name="+")
    api_key = models.ForeignKey("keys.ApiKey", null=True, on_delete=models.SET_NULL, related_name="runs")
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)
    file_name = models.CharField(max_length=255)
    file_size_bytes = models.BigIntegerField()
    file_sha256 = models.CharField(max_length=64)
    mapping_lines = models.TextField(blank=True, default="")
    mapping_name = models.CharField(max_length=100, blank=True, default="")
    reading_options = models.JSONField(default=dict)
    file_facts = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    guards = models.JSONField(default=list)
    findings = models.JSONField(default=dict)
    newcomers_with_password = models.PositiveIntegerField(default=0)
    passwords_of_existing = models.PositiveIntegerField(default=0)
    told = models.JSONField(default=dict)
    sums = models.JSONField(default=dict)
    keeps_everyone = models.BooleanField(default=False)
    superseded_by = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    refusal = models.JSONField(null=True, blank=True)
    settings_used = models.JSONField(default=dict)
    plan_digest = models.CharField(max_length=64, blank=True, default="")
    received_at = models.DateTimeField(db_default=Now())
    planned_at = models.DateTimeField(null=True, blank=True)
    first_planned_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey("accounts.Account", null=True, on_delete=models.SET_NULL, related_name="+")
    decided_by_key = models.ForeignKey("keys.ApiKey", null=True, on_delete=models.SET_NULL, related_name="+")
    is_approved_by_policy = models.BooleanField(default=False)
    decision_reason = models.CharField(max_length=500, blank=True, default="")
    applied_at = models.DateTimeField(null=True, blank=True)
    file_removed_at = models.DateTimeField(null=True, blank=True)
    report_removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["api_key", "idempotency_key"], name="run_once_per_idempotency_key"),
        ]
        indexes = [models.Index(fields=["school_system", "-received_at"], name="run_by_time")]

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def changes_accounts(self) -> bool:
        """True if the plan changes a value or the password of an account."""
        return self.passwords_of_existing > 0 or any(map(self.counts.get, ACCOUNT_ACTIONS))


class ToldApart(models.Model):
    """A custom ID of a person who is not the one whose ID differs in leading zeros only. A manager said so."""

    school_system = models.ForeignKey("orgs.SchoolSystem", on_delete=models.CASCADE, related_name="told_apart")
    custom_id = models.CharField(max_length=64)
    said_by = models.ForeignKey("accounts.Account", null=True, on_delete=models.SET_NULL, related_name="+")
    said_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school_system", "custom_id"], name="told_apart_once")]
