
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_failures_in_memory'),
        ('runs', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='FilePassword',
            fields=[
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='file_password', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('line', models.BigIntegerField()),
                ('outcome', models.CharField(choices=[('waiting', 'Being prepared'), ('set', 'Set'), ('not_needed', 'Not needed: the account has rights, or someone has set another password'), ('lost', 'Lost: its key is not here')], default='waiting', max_length=10)),
                ('fingerprint', models.CharField(blank=True, default='', max_length=64)),
                ('run', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='passwords', to='runs.run')),
            ],
            options={
                'indexes': [models.Index(fields=['run', 'outcome'], name='file_password_by_run')],
            },
        ),
    ]
