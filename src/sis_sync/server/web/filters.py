"""Which people a list shows, as its address says it. The text searched for stays in the session: it names persons."""

import secrets
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib.sessions.backends.base import SessionBase
from django.http import QueryDict

from sis_sync.core.fields import STATUSES, USER_TYPES
from sis_sync.server.accounts.selectors import DELETED

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
