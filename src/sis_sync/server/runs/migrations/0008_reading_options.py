from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("runs", "0007_decisions")]
    operations = [
        migrations.AddField(model_name="run", name="reading_options", field=models.JSONField(default=dict)),
    ]
