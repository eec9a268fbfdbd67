"""Which people a list shows, as its address says it. The text searched for stays in the session: it names persons."""

import secrets
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib.sessions.backends.base import SessionBase
from django.db.models import Q, QuerySet
from django.http import QueryDict

from sis_sync.core.fields import STATUSES, USER_TYPES
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.selectors import DELETED
from sis_sync.server.orgs.selectors import can_be_number

SEARCHES = "searches"
MOST_SEARCHES = 20


@dataclass(frozen=True)
class PeopleFilters:
    """The filters of User Admin. `search` stands for a text that the session keeps; `org_id` is digits or empty."""

    user_type: str = ""
    org_id: str = ""
    status: str = ""
    without_id: bool = False
    search: str = ""

    @property
    def query(self) -> str:
        """The filters as the query of an address."""
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
        """Whether anything is filtered at all."""
        return bool(self.query)


def read_filters(data: QueryDict) -> PeopleFilters:
    """The filters in a query; what means nothing is left aside."""
    user_type, org_id, status = data.get("type", ""), data.get("school", ""), data.get("status", "")
    return PeopleFilters(
        user_type=user_type if user_type in USER_TYPES else "",
        org_id=org_id if org_id.isascii() and org_id.isdigit() else "",
        status=status if status in (*STATUSES, DELETED) else "",
        without_id=bool(data.get("no_id")),
        search=data.get("search", "")[:16],
    )


def keep_search(session: SessionBase, text: str) -> str:
    """The sign that stands for this text in addresses; the last 20 are kept."""
    kept: dict[str, str] = session.get(SEARCHES, {})
    sign = next((sign for sign, known in kept.items() if known == text), secrets.token_hex(4))
    kept.pop(sign, None)
    kept[sign] = text
    session[SEARCHES] = dict(list(kept.items())[-MOST_SEARCHES:])
    return sign


def searched_text(session: SessionBase, sign: str) -> str:
    """The text that the sign stands for; empty for one that is forgotten."""
    text: str = session.get(SEARCHES, {}).get(sign, "")
    return text


PAGE_SIZE = 50
MOST_COUNTED = 10_000
ORDER = ("last_name", "first_name", "id")


@dataclass(frozen=True)
class PeoplePage:
    """The rows of one page. `before` and `after` are the account numbers for the neighbour pages, None at an end.

    `is_whole` where there is no other page.
    """

    rows: tuple[Account, ...]
    before: int | None
    after: int | None
    is_whole: bool


@dataclass(frozen=True)
class CappedCount:
    """A count that stops counting at 10,000, so that it stays quick."""

    number: int
    is_capped: bool

    def __str__(self) -> str:
        return f"more than {self.number:,}" if self.is_capped else f"{self.number:,}"


def people_page(people: QuerySet[Account], *, visible: QuerySet[Account], before: str, after: str) -> PeoplePage:
    """The 50 people after the account numbered `after`, or those before `before`, or the first ones.

    `visible` are all whom the reader may see: a page cannot begin at anybody else.
    """
    if start := account_named(visible, before):
        found = list(people.filter(earlier_than(start)).order_by(*(f"-{name}" for name in ORDER))[: PAGE_SIZE + 1])
        rows = found[:PAGE_SIZE][::-1]
        has_earlier, has_later = len(found) > PAGE_SIZE, True
    else:
        start = account_named(visible, after)
        found = list((people.filter(later_than(start)) if start else people).order_by(*ORDER)[: PAGE_SIZE + 1])
        rows = found[:PAGE_SIZE]
        has_earlier, has_later = start is not None, len(found) > PAGE_SIZE
    return PeoplePage(
        rows=tuple(rows),
        before=rows[0].pk if rows and has_earlier else None,
        after=rows[-1].pk if rows and has_later else None,
        is_whole=start is None and not has_later,
    )


def account_named(visible: QuerySet[Account], number: str) -> Account | None:
    """The account at which a page begins; None for no such number."""
    return visible.filter(pk=int(number)).first() if can_be_number(number) else None


def later_than(start: Account) -> Q:
    """Those after `start`. The first condition alone lets the index find the place."""
    last, first = start.last_name, start.first_name
    return Q(last_name__gte=last) & (
        Q(last_name__gt=last) | Q(first_name__gt=first) | Q(first_name=first, pk__gt=start.pk)
    )


def earlier_than(start: Account) -> Q:
    """Those before `start`."""
    last, first = start.last_name, start.first_name
    return Q(last_name__lte=last) & (
        Q(last_name__lt=last) | Q(first_name__lt=first) | Q(first_name=first, pk__lt=start.pk)
    )


def count_people(people: QuerySet[Account], shown: PeoplePage) -> CappedCount:
    """How many there are on all pages. Where one page holds them all, they need no second look."""
    return CappedCount(len(shown.rows), is_capped=False) if shown.is_whole else count_capped(people)


def count_capped(people: QuerySet[Account]) -> CappedCount:
    """How many, exactly up to 10,000."""
    number = people.order_by()[: MOST_COUNTED + 1].count()
    return CappedCount(min(number, MOST_COUNTED), number > MOST_COUNTED)
