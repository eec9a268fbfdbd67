
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0004_removed_files'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='newcomers_with_password',
            field=models.PositiveIntegerField(default=0),
        ),
    ]
