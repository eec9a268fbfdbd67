"""The list of people: its search, its filters and its pages of 50.

The filters are in the address of the page. The search text may name people, so the address contains it sealed: only
this server can read it, and only for the person who searched.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict

from sis_sync.core.fields import STATUSES, USER_TYPES
from sis_sync.server.accounts.models import BY_NAME, Account
from sis_sync.server.accounts.selectors import DELETED
from sis_sync.server.orgs.selectors import can_be_number
from sis_sync.server.web.render import PAGE_SIZE

MOST_SEALED = 3000  # characters of a sealed text
MOST_COUNTED = 10_000


@dataclass(frozen=True)
class PeopleFilters:
    """The filters of User Admin. `search` is a sealed text; `org_id` is digits or empty."""

    user_type: str = ""
    org_id: str = ""
    status: str = ""
    without_id: bool = False
    search: str = ""

    @property
    def query(self) -> str:
        """Return the filters as the query string of an address."""
        values = {
            "type": self.user_type,
            "school": self.org_id,
            "status": self.status,
            "no_id": "yes" if self.without_id else "",
            "search": self.search,
        }
        return urlencode({name: value for name, value in values.items() if value})

    @property
    def is_any(self) -> bool:
        """Return True if the list is filtered or searched."""
        return bool(self.query)


def read_filters(data: QueryDict) -> PeopleFilters:
    """Return the filters in a query. Unknown values are skipped."""
    user_type, org_id, status = data.get("type", ""), data.get("school", ""), data.get("status", "")
    return PeopleFilters(
        user_type=user_type if user_type in USER_TYPES else "",
        org_id=org_id if org_id.isascii() and org_id.isdigit() else "",
        status=status if status in (*STATUSES, DELETED) else "",
        without_id=bool(data.get("no_id")),
        search=data.get("search", "")[:MOST_SEALED],
    )


@dataclass(frozen=True)
class PeoplePage:
    """The people on one page.

    The previous page ends before account number `before`, the next one starts after account number `after`. They are
    None at the ends of the list. `is_whole` is true if this is the only page.
    """

    rows: tuple[Account, ...]
    before: int | None
    after: int | None
    is_whole: bool


def people_page(people: QuerySet[Account], *, visible: QuerySet[Account], before: str, after: str) -> PeoplePage:
    """Return the 50 people after the account numbered `after`, or those before `before`, or the first ones.

    `visible` are all accounts that the reader may see. `before` and `after` are ignored if they are not among these.
    """
    # Read one more than a page, to know whether there is another page.
    if start := account_numbered(visible, before):
        found = list(people.filter(earlier_than(start)).order_by(*(f"-{name}" for name in BY_NAME))[: PAGE_SIZE + 1])
        rows = found[:PAGE_SIZE][::-1]
        has_earlier, has_later = len(found) > PAGE_SIZE, True
    else:
        start = account_numbered(visible, after)
        found = list((people.filter(later_than(start)) if start else people).order_by(*BY_NAME)[: PAGE_SIZE + 1])
        rows = found[:PAGE_SIZE]
        has_earlier, has_later = start is not None, len(found) > PAGE_SIZE
    return PeoplePage(
        rows=tuple(rows),
        before=rows[0].pk if rows and has_earlier else None,
        after=rows[-1].pk if rows and has_later else None,
        is_whole=start is None and not has_later,
    )


def account_numbered(visible: QuerySet[Account], number: str) -> Account | None:
    """Return the account with this number, or None."""
    return visible.filter(pk=int(number)).first() if can_be_number(number) else None


def later_than(start: Account) -> Q:
    """Return the condition for the people after `start` in the list."""
    last, first = start.last_name, start.first_name
    # The first condition is redundant, but only with it can the database start inside its index.
    return Q(last_name__gte=last) & (
        Q(last_name__gt=last) | Q(first_name__gt=first) | Q(first_name=first, pk__gt=start.pk)
    )


def earlier_than(start: Account) -> Q:
    """Return the condition for the people before `start` in the list."""
    last, first = start.last_name, start.first_name
    return Q(last_name__lte=last) & (
        Q(last_name__lt=last) | Q(first_name__lt=first) | Q(first_name=first, pk__lt=start.pk)
    )


@dataclass(frozen=True)
class CappedCount:
    """A count that stops at a limit, to be quick."""

    number: int
    is_capped: bool

    def __str__(self) -> str:
        return f"more than {self.number:,}" if self.is_capped else f"{self.number:,}"


def count_people(people: QuerySet[Account], shown: PeoplePage) -> CappedCount:
    """Count the people on all pages. Do not query again if one page has them all."""
    return CappedCount(len(shown.rows), is_capped=False) if shown.is_whole else count_capped(people)


def count_capped(people: QuerySet[Account], most: int = MOST_COUNTED) -> CappedCount:
    """Count the people, exactly up to `most`."""
    number = people.order_by()[: most + 1].count()
    return CappedCount(min(number, most), number > most)
