"""Ask for a page many times as the manager of the district or of a school, and print its median CPU seconds: NAME.

They are those of the web process and of its connection to PostgreSQL.
"""

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from sis_sync.bench.work.page_place import SCHOOL_MANAGER
from sis_sync.bench.work.server_place import APPROVER
from sis_sync.bench.work.server_run import approver_named

if TYPE_CHECKING:
    from django.test import Client

TIMES, WARMING_TIMES = 20, 3
PAGES: dict[str, str] = {
    "home": "/",
    "people": "/members",
    "people-search": "search:Garciley Ana",
    "people-search-many": "search:Gar",
    "people-deep": "/members?after={deep}",
    "people-filtered": "/members?type=Teacher&status=Disabled",
    "people-of-school": "/members?school={school}",
    "people-without-id": "/members?no_id=yes",
    "people-deleted": "/members?status=Deleted",
    "account": "/members/{person}",
    "edit-account": "/members/{person}/edit",
    "edit-people": "do:edit",
    "disable-people": "do:disable",
    "create-account": "/members/new",
    "codes": "/members/codes",
    "schools": "/settings",
    "school": "/settings/schools/{school}",
    "retention": "/settings/retention",
    "networks": "/settings/networks",
    "own-names": "/settings/own-names",
    "profile": "/profile",
    "claim": "/claim/pages",
    "upload": "/bulk",
    "pending": "/bulk/pending",
    "history": "/bulk/history",
    "sync-settings": "/bulk/settings",
    "mode-settings": "/bulk/settings/full",
    "mappings": "/bulk/mappings",
    "keys": "/bulk/client",
    "new-key": "/bulk/client/keys/new",
    "decision": "/runs/{waiting}",
    "rows-of-plan": "/runs/{waiting}?action=update&page=2",
    "run": "/runs/{applied}",
    "correct": "/runs/{applied}/correct",
    "undo": "/runs/{applied}/undo",
    "reject": "/runs/{waiting}/reject",
    "home-of-school": "school:/",
    "runs-of-school": "school:/bulk/district",
    "run-of-school": "school:/runs/{applied}/school",
    "audit": "/audit",
    "audit-deep": "/audit?before={entry}",
}


def main() -> None:
    """Print the CPU and wall seconds of the page. With several names, also those of each."""
    import django

    django.setup()
    from django.test import Client

    browser, found = Client(SERVER_NAME="localhost"), places(approver_named(APPROVER))
    pages = {name: measured(asking(browser, PAGES[name].format(**found))) for name in sys.argv[1:] or PAGES}
    total = {kind: sum(each[kind] for each in pages.values()) for kind in ("cpu", "wall")}
    sys.stdout.write(json.dumps({**total, "pages": pages}))


def places(me: Any) -> dict[str, int]:
    """Return the IDs that stand in the addresses."""
    from sis_sync.server.accounts.models import Account
    from sis_sync.server.audit.models import AuditEntry
    from sis_sync.server.orgs.models import Org
    from sis_sync.server.runs.models import Run

    people = Account.objects.filter(school_system=me.school_system_id, deleted_at=None)
    entries = AuditEntry.objects.filter(school_system=me.school_system_id)
    ordered = people.order_by("last_name", "first_name", "id").values_list("pk", flat=True)
    deep = ordered[min(5_000, people.count() // 2)]
    runs = Run.objects.filter(school_system=me.school_system_id)
    return {
        "deep": deep,
        "person": deep,
        "school": Org.objects.filter(school_system=me.school_system_id, kind="school").latest("pk").pk,
        "entry": entries.order_by("at")[entries.count() // 2].pk,
        "waiting": runs.latest("pk").pk,
        "applied": runs.earliest("pk").pk,
    }


def asking(browser: "Client", address: str) -> Callable[[], Any]:
    """Sign in, and return a function that asks for the page.

    `search:TEXT` is the list of the people that it finds, `do:ACTION` the page that asks before it is done to two
    people, and `school:ADDRESS` a page for the manager of a school.
    """
    kind, _, words = address.rpartition(":")
    browser.force_login(approver_named(SCHOOL_MANAGER if kind == "school" else APPROVER))
    if kind == "do":
        ticked = re.findall(r'name="account" value="(\d+)"', browser.get("/members").content.decode())[:2]
        return lambda: browser.post("/members/act", {"action": words, "account": ticked})
    if kind == "search":
        words = browser.post("/members/search", {"text": words}).headers["Location"]
    return lambda: browser.get(words)


def measured(ask: Callable[[], Any]) -> dict[str, float]:
    """Return the median CPU and wall seconds of the page, and its bytes."""
    from django.db import connection

    for _ in range(WARMING_TIMES):
        answer = ask()
    if answer.status_code != 200:
        sys.exit(f"the page was answered with {answer.status_code}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        server = cursor.fetchone()[0]
    cpu, wall = [], []
    for _ in range(TIMES):
        before, begun = time.process_time() + of_connection(server), time.monotonic()
        ask()
        cpu.append(time.process_time() + of_connection(server) - before)
        wall.append(time.monotonic() - begun)
    return {"cpu": median(cpu), "wall": median(wall), "bytes": len(answer.content)}


def of_connection(process: int) -> float:
    """Return the CPU seconds of PostgreSQL's process for our connection, which has one thread."""
    return int(Path(f"/proc/{process}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9


if __name__ == "__main__":
    main()
