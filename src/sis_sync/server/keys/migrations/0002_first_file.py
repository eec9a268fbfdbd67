from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("keys", "0001_initial")]

    operations = [
        migrations.AddField("apikey", "first_file_mb", models.PositiveIntegerField(blank=True, null=True)),
    ]
