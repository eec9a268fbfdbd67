from django.db import migrations

from sis_sync.server.text import tidy


def tidy_ids(apps, schema_editor):
    """Trim external IDs as files are read now: earlier versions kept marks of direction, with which no plan would fit.

    Leave an ID that another org has already.
    """
    orgs = apps.get_model("orgs", "Org").objects
    for org in orgs.filter(external_id__isnull=False).order_by("pk"):
        tidied = tidy(org.external_id) or None
        others = orgs.filter(school_system=org.school_system_id, external_id=tidied)
        if tidied != org.external_id and (tidied is None or not others.exists()):
            orgs.filter(pk=org.pk).update(external_id=tidied)


class Migration(migrations.Migration):
    dependencies = [("orgs", "0005_external_id_since")]

    operations = [migrations.RunPython(tidy_ids, migrations.RunPython.noop)]
