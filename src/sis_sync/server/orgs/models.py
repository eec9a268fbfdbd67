"""The tenant and its orgs. No rules here: services write, selectors read."""

from django.db import models
from django.db.models.functions import Now

from sis_sync.core.fields import STUDENT, USER_TYPES
from sis_sync.core.limits import STANDARD_RETENTION


def staff_types() -> list[str]:
    """Return the user types but Student: the usual value of `SchoolSystem.change_own_names`."""
    return [each for each in USER_TYPES if each != STUDENT]


class SchoolSystem(models.Model):
    """The tenant: one district and its schools. A tenant never sees another tenant's data.

    `networks` are the schools' own, such as "192.0.2.0/24". Signing in from them has wider limits.
    People of the user types in `change_own_names` may change the names that are shown of them (accounts/own_names.py).
    `keep_*_days` is its retention. Read it with `retention.retention_of`.
    """

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=63, unique=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    networks = models.JSONField(default=list)
    change_own_names = models.JSONField(default=staff_types)
    is_client_api_enabled = models.BooleanField(default=False)
    keep_files_days = models.PositiveSmallIntegerField(default=STANDARD_RETENTION.files_days)
    keep_reports_days = models.PositiveSmallIntegerField(default=STANDARD_RETENTION.reports_days)
    keep_history_days = models.PositiveSmallIntegerField(default=STANDARD_RETENTION.history_days)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


class Org(models.Model):
    """A district or a school. Files name it by `external_id` (the SIS building ID), None until set.

    `external_id_since` is when it got that ID, which another org may have had before. None: before this was stored.
    """

    class Kind(models.TextChoices):
        DISTRICT = "district", "District"
        SCHOOL = "school", "School"

    school_system = models.ForeignKey(SchoolSystem, on_delete=models.CASCADE, related_name="orgs")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=200)
    external_id = models.CharField(max_length=100, null=True, blank=True)
    external_id_since = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school_system", "external_id"], name="org_external_id_unique"),
            models.UniqueConstraint(
                fields=["school_system"],
                condition=models.Q(kind="district"),
                name="one_district_per_system",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Right(models.Model):
    """The right of an account to manage an org. A right over the district includes all of its schools.

    People grant rights in the pages. Files never do.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="rights")
    org = models.ForeignKey(Org, on_delete=models.CASCADE, related_name="rights")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "org"], name="right_once_per_org")]
