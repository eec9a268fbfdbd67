from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orgs", "0001_initial")]

    operations = [
        migrations.AddField("schoolsystem", "networks", models.JSONField(default=list)),
    ]
