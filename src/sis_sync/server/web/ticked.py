"""The people whom a form of User Admin is about: those who are ticked, or all whom the list has found."""

from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.urls import reverse

from sis_sync.server.accounts.bulk_edit import MOST_TOGETHER
from sis_sync.server.accounts.models import BY_NAME, Account
from sis_sync.server.accounts.selectors import managed_accounts, search_accounts
from sis_sync.server.orgs.selectors import access_org, can_be_number
from sis_sync.server.web.access import PageRequest
from sis_sync.server.web.people_list import PeopleFilters, read_filters
from sis_sync.server.web.render import see_other
from sis_sync.server.web.sealed import search_text


def found_people(request: PageRequest, filters: PeopleFilters) -> QuerySet[Account]:
    """Return the people who match the filters and the search, sorted by name."""
    if filters.org_id:
        access_org(actor=request.user, org_id=filters.org_id)
    return search_accounts(
        actor=request.user,
        text=search_text(filters.search, reader=request.user),
        user_type=filters.user_type,
        org_id=filters.org_id or None,
        status=filters.status,
        without_id=filters.without_id,
    )


def chosen_people(request: PageRequest) -> list[Account]:
    """Return the ticked people, or all whom the list has found if that is ticked, sorted by name.

    Skip unknown people and those outside the manager's orgs. Of more than 500, return one more than 500.
    """
    if request.POST.get("everyone"):
        filters = list_filters(request)
        if filters.search and not search_text(filters.search, reader=request.user):
            return []  # without its search, the list would have more people than the manager saw
        return list(found_people(request, filters)[: MOST_TOGETHER + 1])
    numbers = [number for number in request.POST.getlist("account") if can_be_number(number)]
    accounts = managed_accounts(actor=request.user).filter(pk__in=numbers)
    return list(accounts.order_by(*BY_NAME))


def list_filters(request: PageRequest) -> PeopleFilters:
    """Return the filters that the list had when the people were ticked."""
    return read_filters(QueryDict(request.POST.get("back", "")))


def is_from_account(request: PageRequest) -> bool:
    """Return True if the action was chosen on the page of an account."""
    return request.POST.get("from_account") == "yes"


def back_to_place(request: PageRequest, people: list[Account]) -> HttpResponse:
    """Redirect to the account's page if the action was chosen there, otherwise to the list."""
    if is_from_account(request):
        return see_other("web:account_history", people[0].pk)
    return see_other("web:user_admin", query=list_filters(request).query)


def back_to_list(request: PageRequest) -> dict[str, object]:
    """Return the context with which a confirmation page links back to where the action was chosen."""
    address, query, account = reverse("web:user_admin"), list_filters(request).query, request.POST.get("account", "")
    if is_from_account(request) and can_be_number(account):
        address, query = reverse("web:account_history", args=[account]), ""
    return {
        "back": request.POST.get("back", ""),
        "from_account": is_from_account(request),
        "list_address": f"{address}?{query}" if query else address,
    }
