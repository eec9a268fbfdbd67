from django.db import migrations, models


def copy_planned_at(apps, schema_editor):
    """Runs that wait now expire when they would have."""
    apps.get_model("runs", "Run").objects.filter(planned_at__isnull=False).update(first_planned_at=models.F("planned_at"))


class Migration(migrations.Migration):
    dependencies = [("runs", "0011_field_settings")]

    operations = [
        migrations.AddField("run", "first_planned_at", models.DateTimeField(blank=True, null=True)),
        migrations.RunPython(copy_planned_at, migrations.RunPython.noop),
    ]
