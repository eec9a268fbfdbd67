
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0003_turns'),
    ]

    operations = [
        migrations.AlterField(
            model_name='job',
            name='kind',
            field=models.CharField(choices=[('plan', 'Check and plan'), ('apply', 'Apply'), ('prepare', 'Prepare passwords')], max_length=7),
        ),
    ]
