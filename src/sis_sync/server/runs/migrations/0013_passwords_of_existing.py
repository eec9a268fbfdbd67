from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("runs", "0012_first_planned_at")]

    operations = [
        migrations.AddField(
            "modesettings",
            "sets_passwords",
            models.CharField(
                choices=[("off", "Off: only when an account is created"), ("on", "On")], default="off", max_length=3
            ),
        ),
        migrations.AddField("run", "passwords_of_existing", models.PositiveIntegerField(default=0)),
    ]
