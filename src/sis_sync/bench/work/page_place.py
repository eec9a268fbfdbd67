"""Fill a database with a school system whose pages are measured: PEOPLE.

One person in five is in a partial file that was applied but for a few rows, and again in one that waits for a decision.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sis_sync.bench.work.server_place import APPROVER, make_school_system
from sis_sync.bench.work.server_run import approver_named, receive, run_file
from sis_sync.core.fields import FIELD_NAMES

if TYPE_CHECKING:
    from sis_sync.server.accounts.models import Account

PEOPLE_OF_SCHOOL, MOST_SCHOOLS = 250, 400
IN_A_FILE = 5  # one person in so many
EARLIER_RUNS = 120
FAILING_ROWS = 14
SCHOOL_MANAGER = "manager@district.example"


def main() -> None:
    """Migrate, fill, and print the number of accounts."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    people = int(sys.argv[1])
    schools = max(2, min(MOST_SCHOOLS, people // PEOPLE_OF_SCHOOL))
    call_command("migrate", verbosity=0)
    orgs = "".join(f"{number:04},School {number:04},school\n" for number in range(1, schools + 1))
    approver = make_school_system("pages", orgs=f"external_id,name,kind\n{orgs}", approver=APPROVER)
    with connection.cursor() as cursor:
        values = {"people": people, "schools": schools, "system": approver.school_system_id, "actor": approver.pk}
        for statement in (Path(__file__).with_name("page_place.sql")).read_text(encoding="utf-8").split(";\n"):
            cursor.execute(statement, values)
    add_manager_of_school(approver)
    add_runs(approver)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT count(*) FROM accounts_account")
        sys.stdout.write(json.dumps({"accounts": cursor.fetchone()[0]}))


def add_manager_of_school(approver: "Account") -> None:
    """Add the manager of the newest school."""
    from django.utils import timezone

    from sis_sync.server.accounts.models import Account
    from sis_sync.server.orgs.models import Org
    from sis_sync.server.orgs.services import give_right

    school = Org.objects.filter(school_system=approver.school_system_id, kind="school").latest("pk")
    manager = Account.objects.create(
        school_system=school.school_system, org=school, last_name="Manager", email=SCHOOL_MANAGER, user_type="Staff"
    )
    give_right(account=manager, org=school, actor=approver, now=timezone.now())


def add_runs(approver: "Account") -> None:
    """Apply a file, repeat its run in the history, and leave another file waiting."""
    from sis_sync.server.runs.models import Run
    from sis_sync.server.runs.worker import work_until_idle

    path = changed_people("grade")
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"Ana,,Broken,no address,B-{n},0001,Student,,4,Active\n" for n in range(FAILING_ROWS))
    run = run_file(path, approver=approver_named(APPROVER), mode="partial")
    earlier = Run.objects.get(pk=run.pk)
    for _ in range(EARLIER_RUNS):
        earlier.pk = None
        earlier.save(force_insert=True)
    receive(changed_people("last_name"), approver=approver, mode="partial")
    work_until_idle()


def changed_people(field: str) -> Path:
    """Write a partial file in which this field of some people has changed. Return its path."""
    from django.conf import settings
    from django.db import connection

    new: dict[str, Any] = {"last_name": "last_name || 'son'", "grade": "CASE grade WHEN '' THEN '' ELSE '5' END"}
    position = "CASE position WHEN '' THEN '' ELSE 'Coach' END" if field == "grade" else "position"
    chosen = {
        "school_district_external_id": "org.external_id",
        "position": position,
        field: new[field],
    }
    columns = ", ".join(f"{chosen.get(name, f'a.{name}')} AS {name}" for name in FIELD_NAMES)
    path = Path(settings.SIS_SYNC_DATA_FOLDER) / f"{field}.csv"
    rows = (
        f"SELECT {columns} FROM accounts_account a JOIN orgs_org org ON org.id = a.org_id WHERE a.id % {IN_A_FILE} = 0"
    )
    copy = f"COPY ({rows} AND custom_id IS NOT NULL) TO STDOUT (FORMAT csv, HEADER)"
    with connection.cursor() as cursor, path.open("wb") as file, cursor.copy(copy) as blocks:
        for block in blocks:
            file.write(block)
    return path


if __name__ == "__main__":
    main()
