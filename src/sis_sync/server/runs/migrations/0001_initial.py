import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("keys", "0001_initial"),
        ("orgs", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ModeSettings",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("partial", "partial"),
                            ("full", "full"),
                            ("students", "students"),
                            ("staff", "staff"),
                        ],
                        max_length=8,
                    ),
                ),
                ("requires_approval", models.BooleanField(default=True)),
                (
                    "on_absent",
                    models.CharField(
                        choices=[
                            ("delete", "Delete (restorable for 180 days)"),
                            ("disable", "Disable"),
                            ("nothing", "Nothing"),
                        ],
                        default="delete",
                        max_length=7,
                    ),
                ),
                ("deletions_percent", models.PositiveSmallIntegerField(default=10)),
                ("deletions_count", models.PositiveIntegerField(default=500)),
                (
                    "deletions_slice_percent",
                    models.PositiveSmallIntegerField(default=20),
                ),
                ("failed_rows_percent", models.PositiveSmallIntegerField(default=5)),
                (
                    "school_system",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mode_settings",
                        to="orgs.schoolsystem",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("school_system", "mode"), name="settings_once_per_mode"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Run",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("partial", "partial"),
                            ("full", "full"),
                            ("students", "students"),
                            ("staff", "staff"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("received", "Received"),
                            ("checking", "Checking"),
                            ("refused", "File refused"),
                            ("waiting", "Waiting for approval"),
                            ("held", "On hold"),
                            ("approved", "Approved"),
                            ("applying", "Applying"),
                            ("applied", "Applied"),
                            ("rejected", "Rejected"),
                            ("superseded", "Superseded"),
                            ("expired", "Expired"),
                            ("out_of_date", "Out of date"),
                            ("failed", "Failed"),
                        ],
                        default="received",
                        max_length=11,
                    ),
                ),
                (
                    "idempotency_key",
                    models.CharField(blank=True, max_length=255, null=True),
                ),
                ("file_name", models.CharField(max_length=255)),
                ("file_size_bytes", models.BigIntegerField()),
                ("file_sha256", models.CharField(max_length=64)),
                ("mapping_lines", models.TextField(blank=True, default="")),
                (
                    "mapping_name",
                    models.CharField(blank=True, default="", max_length=100),
                ),
                ("file_facts", models.JSONField(default=dict)),
                ("counts", models.JSONField(default=dict)),
                ("guards", models.JSONField(default=list)),
                ("findings", models.JSONField(default=dict)),
                ("refusal", models.JSONField(blank=True, null=True)),
                (
                    "plan_digest",
                    models.CharField(blank=True, default="", max_length=64),
                ),
                (
                    "received_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now()
                    ),
                ),
                ("planned_at", models.DateTimeField(blank=True, null=True)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("is_approved_by_policy", models.BooleanField(default=False)),
                (
                    "decision_reason",
                    models.CharField(blank=True, default="", max_length=500),
                ),
                ("applied_at", models.DateTimeField(blank=True, null=True)),
                (
                    "api_key",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="runs",
                        to="keys.apikey",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_by_key",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="keys.apikey",
                    ),
                ),
                (
                    "school_system",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="runs",
                        to="orgs.schoolsystem",
                    ),
                ),
                (
                    "scope_org",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.org",
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["school_system", "-received_at"], name="run_by_time"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("api_key", "idempotency_key"),
                        name="run_once_per_idempotency_key",
                    )
                ],
            },
        ),
    ]
