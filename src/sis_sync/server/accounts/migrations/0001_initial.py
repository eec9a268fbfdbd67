import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Account",
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
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="last login"
                    ),
                ),
                ("first_name", models.CharField(max_length=100)),
                (
                    "middle_name",
                    models.CharField(blank=True, default="", max_length=100),
                ),
                ("last_name", models.CharField(max_length=100)),
                ("email", models.CharField(max_length=254)),
                ("custom_id", models.CharField(blank=True, max_length=64, null=True)),
                (
                    "user_type",
                    models.CharField(
                        choices=[
                            ("Teacher", "Teacher"),
                            ("Staff", "Staff"),
                            ("Administrator", "Administrator"),
                            ("Student", "Student"),
                        ],
                        max_length=13,
                    ),
                ),
                ("position", models.CharField(blank=True, default="", max_length=100)),
                ("grade", models.CharField(blank=True, default="", max_length=11)),
                (
                    "status",
                    models.CharField(
                        choices=[("Active", "Active"), ("Disabled", "Disabled")],
                        default="Active",
                        max_length=8,
                    ),
                ),
                ("is_protected", models.BooleanField(default=False)),
                (
                    "protected_reason",
                    models.CharField(blank=True, default="", max_length=200),
                ),
                ("is_held_by_hand", models.BooleanField(default=False)),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
                ("sessions_ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now()
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now()
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SignInFailures",
            fields=[
                (
                    "key_sha256",
                    models.CharField(max_length=64, primary_key=True, serialize=False),
                ),
                ("count", models.PositiveIntegerField(default=0)),
                ("first_failed_at", models.DateTimeField()),
            ],
        ),
    ]
