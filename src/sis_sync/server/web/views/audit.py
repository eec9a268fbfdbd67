"""The audit log: the actions of people and keys, with links to the runs, people and schools that they name."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Model, Q
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.models import AuditEntry
from sis_sync.server.orgs.models import Org
from sis_sync.server.orgs.selectors import can_be_number
from sis_sync.server.runs.models import Run
from sis_sync.server.web.access import PageRequest, for_district_managers
from sis_sync.server.web.render import PAGE_SIZE, page

# The details that name something else: its page, and what it is called.
NAMED: dict[str, tuple[type[Model], str]] = {
    "run": (Run, "web:run"),
    "of_run": (Run, "web:run"),
    "org": (Org, "web:org_edit"),
    "account": (Account, "web:account_history"),
}
# What only a program compares: the digest of a plan, and of a file.
NOT_SHOWN = ("digest", "sha256")


@dataclass(frozen=True)
class Detail:
    """One detail of an entry. With an `address`, `text` is the name of what it leads to. Without, `value` is shown."""

    name: str
    value: object
    text: str = ""
    address: str = ""


@for_district_managers
@require_GET
def audit_log(request: PageRequest) -> HttpResponse:
    """Show the entries of the school system, newest first, 50 per page: the newest ones, or those before an entry."""
    entries = AuditEntry.objects.filter(school_system_id=request.user.school_system_id)
    before = request.GET.get("before", "")
    start = entries.filter(pk=int(before)).first() if can_be_number(before) else None
    if start:
        # Not by page number: to skip entries, the database would read them, and a large district has millions.
        entries = entries.filter(Q(at__lte=start.at) & (Q(at__lt=start.at) | Q(pk__lt=start.pk)))
    found = list(entries.select_related("actor", "api_key").order_by("-at", "-id")[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    named = named_by(shown, request.user.school_system_id)
    context = {
        "rows": [(entry, details_of(entry, named)) for entry in shown],
        "is_newest": start is None,
        "older": shown[-1].pk if len(found) > PAGE_SIZE else None,
    }
    return page(request, "web/audit.html", context)


def details_of(entry: AuditEntry, named: dict[tuple[type[Model], int], str]) -> list[Detail]:
    """Return the details that people read. What was removed since has its number and no link."""
    details = []
    for name, value in entry.detail.items():
        model, page_name = NAMED.get(name, (None, ""))
        text = named.get((model, value), "") if model and isinstance(value, int) else ""
        if name not in NOT_SHOWN:
            details.append(Detail(name, value, text, reverse(page_name, args=[value]) if text else ""))
    return details


def named_by(entries: Iterable[AuditEntry], school_system_id: int) -> dict[tuple[type[Model], int], str]:
    """Return the names of the runs, people and schools that the details name."""
    wanted: dict[type[Model], set[int]] = {Run: set(), Org: set(), Account: set()}
    for entry in entries:
        for name, value in entry.detail.items():
            if name in NAMED and isinstance(value, int):
                wanted[NAMED[name][0]].add(value)
    runs = Run.objects.filter(school_system=school_system_id, pk__in=wanted[Run]).values_list("pk", flat=True)
    orgs = Org.objects.filter(school_system=school_system_id, pk__in=wanted[Org])
    people = Account.objects.filter(school_system=school_system_id, pk__in=wanted[Account])
    return {
        **{(Run, pk): f"{pk}" for pk in runs},
        **{(Org, org.pk): org.name for org in orgs},
        **{(Account, account.pk): account.full_name for account in people},
    }
