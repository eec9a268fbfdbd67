"""The peer django-import-export, used as its documentation recommends, on our accounts table: FILE ORGS [preview].

A ModelResource finds accounts by custom ID and schools by external ID, skips rows that change nothing, and uses one
transaction. The csv script's rules check each row before it is imported. The peer keeps no history and writes no
results. With `preview` it makes a dry run first, like its admin pages; this corresponds to our plan. The package does
not handle accounts that are absent from the file, so an update at the end deletes them.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from sis_sync.bench.work.plain_script import codes_of, records
from sis_sync.bench.work.server_place import APPROVER
from sis_sync.core.fields import FIELD_NAMES

ORG = "school_district_external_id"


def resource(approver: Any, path: Path, orgs: set[str]) -> Any:
    """Return the resource for this file."""
    from django.core.exceptions import ValidationError
    from import_export import fields, resources, widgets

    from sis_sync.server.accounts.models import Account
    from sis_sync.server.orgs.models import Org

    rows = [row for _, row in records(path)]
    ids, addresses = Counter(row[4] for row in rows), Counter(row[3].lower() for row in rows)
    own = {"school_system": approver.school_system}
    live = Account.objects.filter(**own).values_list("email", "custom_id")
    holders = {address.lower(): custom_id for address, custom_id in live}

    class AccountResource(resources.ModelResource):  # type: ignore[misc]  # the package has no types
        org = fields.Field(column_name=ORG, attribute="org", widget=widgets.ForeignKeyWidget(Org, "external_id"))

        class Meta:
            model = Account
            import_id_fields = ("custom_id",)
            fields = (*(name for name in FIELD_NAMES if name != ORG), "org")
            skip_unchanged = True
            report_skipped = True
            use_transactions = True

        def get_queryset(self) -> Any:
            return Account.objects.filter(**own)

        def before_import_row(self, row: dict[str, Any], **_: Any) -> None:
            cells = [row[name] or "" for name in FIELD_NAMES]
            codes = codes_of(cells, orgs, ids, addresses)
            if not codes and holders.get(cells[3].lower(), cells[4]) != cells[4]:
                codes = ["email.taken"]
            if codes:
                raise ValidationError(codes)
            row.update(zip(FIELD_NAMES, cells, strict=True))

        def before_save_instance(self, instance: Any, row: dict[str, Any], **_: Any) -> None:
            instance.school_system = approver.school_system
            if instance._state.adding:
                instance.set_unusable_password()

    return AccountResource()


def main() -> None:
    """Import the file, delete absent accounts, and print the counts."""
    import django

    django.setup()
    import tablib
    from django.utils import timezone

    from sis_sync.server.accounts.models import Account

    path, orgs = Path(sys.argv[1]), {row[0] for _, row in records(Path(sys.argv[2]))}
    approver = Account.objects.select_related("school_system").get(email=APPROVER)
    data = tablib.Dataset().load(path.read_text(encoding="utf-8"), format="csv")
    if sys.argv[3:] == ["preview"]:
        resource(approver, path, orgs).import_data(data, dry_run=True)
    totals = resource(approver, path, orgs).import_data(data, dry_run=False).totals
    managed = Account.objects.filter(
        school_system=approver.school_system, custom_id__isnull=False, deleted_at__isnull=True
    )
    gone = set(managed.values_list("custom_id", flat=True)) - {row[4] for _, row in records(path)}
    deleted = sum(managed.filter(custom_id=custom_id).update(deleted_at=timezone.now()) for custom_id in gone)
    counts = {"create": totals["new"], "update": totals["update"], "unchanged": totals["skip"], "delete": deleted}
    counts["failed"] = totals["error"] + totals["invalid"]
    sys.stdout.write(json.dumps({"counts": counts}))


if __name__ == "__main__":
    main()
