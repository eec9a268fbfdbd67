from collections import defaultdict

import django.db.models.deletion
from django.db import migrations, models

from sis_sync.server.accounts.held_addresses import digest_of, key_of

BATCH = 5000


def remember_released_addresses(apps, schema_editor):
    """Remember the addresses of deleted accounts, and those that accounts had before, as far as the history goes."""
    Account = apps.get_model("accounts", "Account")
    AccountChange = apps.get_model("audit", "AccountChange")
    HeldAddress = apps.get_model("accounts", "HeldAddress")
    found = defaultdict(set)
    deleted = Account.objects.filter(deleted_at__isnull=False).values_list("school_system_id", "email")
    for system_id, address in deleted.iterator(BATCH):
        found[system_id].add(address.lower())
    changed = AccountChange.objects.filter(before__has_key="email").values_list("school_system_id", "before")
    for system_id, before in changed.iterator(BATCH):
        found[system_id].add(before["email"].lower())
    for system_id, addresses in found.items():
        key = key_of(system_id)
        held = (HeldAddress(school_system_id=system_id, digest=digest_of(each, key=key)) for each in sorted(addresses))
        HeldAddress.objects.bulk_create(held, batch_size=BATCH, ignore_conflicts=True)


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0005_first_sign_in"),
        ("audit", "0004_former_actor"),
        ("orgs", "0003_retention"),
    ]

    operations = [
        migrations.CreateModel(
            name="HeldAddress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64)),
                ("school_system", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="orgs.schoolsystem")),
            ],
        ),
        migrations.AddConstraint(
            model_name="heldaddress",
            constraint=models.UniqueConstraint(fields=("school_system", "digest"), name="held_address_once"),
        ),
        migrations.RunPython(remember_released_addresses, migrations.RunPython.noop),
    ]
