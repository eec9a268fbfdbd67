import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("orgs", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="org",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="accounts",
                to="orgs.org",
            ),
        ),
        migrations.AddField(
            model_name="account",
            name="school_system",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="accounts",
                to="orgs.schoolsystem",
            ),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(
                fields=["school_system", "last_name", "first_name", "id"],
                name="account_by_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.UniqueConstraint(
                fields=("school_system", "custom_id"), name="account_custom_id_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.UniqueConstraint(
                models.F("school_system"),
                django.db.models.functions.text.Lower("email"),
                condition=models.Q(("deleted_at__isnull", True)),
                name="account_email_unique",
            ),
        ),
    ]
