from django.db import migrations, models


def take_over(apps, schema_editor):
    """Forget the fingerprints: their key was in backups. A password that was set by hand has overtaken one that waits."""
    passwords = apps.get_model("accounts", "FilePassword").objects
    passwords.exclude(fingerprint="").update(fingerprint="")
    passwords.filter(outcome="waiting").exclude(account__password__startswith="!").update(outcome="overtaken")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_lists_of_few")]

    operations = [
        migrations.AlterField(
            "filepassword",
            "outcome",
            models.CharField(
                choices=[
                    ("waiting", "Being prepared"),
                    ("overtaken", "Someone has set another password; this one is only remembered"),
                    ("set", "Set"),
                    ("not_needed", "Not needed: the account has rights, or someone has set another password"),
                    ("lost", "Lost: its key is not here"),
                ],
                default="waiting",
                max_length=10,
            ),
        ),
        migrations.RunPython(take_over, migrations.RunPython.noop),
    ]
