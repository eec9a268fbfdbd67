"""Members > User Admin: find people, tick them, and do something with them."""

from dataclasses import replace

from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.selectors import managed_accounts, search_accounts
from sis_sync.server.orgs.selectors import access_org, can_be_number, managed_orgs
from sis_sync.server.web.entrance import PageRequest, for_managers
from sis_sync.server.web.filters import PeopleFilters, keep_search, read_filters, searched_text
from sis_sync.server.web.forms.people import SearchForm
from sis_sync.server.web.keyset import count_capped, count_people, people_page
from sis_sync.server.web.render import page, see_other


@for_managers
@require_GET
def user_admin(request: PageRequest) -> HttpResponse:
    """The people who fit the filters of the address, 50 at a time."""
    filters = read_filters(request.GET)
    text = searched_text(request.session, filters.search)
    if filters.org_id:
        access_org(actor=request.user, org_id=filters.org_id)
    found = search_accounts(
        actor=request.user,
        text=text,
        user_type=filters.user_type,
        org_id=filters.org_id or None,
        status=filters.status,
        without_id=filters.without_id,
    )
    shown = people_page(
        found,
        visible=managed_accounts(actor=request.user),
        before=request.GET.get("before", ""),
        after=request.GET.get("after", ""),
    )
    context = {
        "people": shown,
        "count": count_people(found, shown),
        "no_id_count": count_capped(search_accounts(actor=request.user, without_id=True)),
        "filters": filters,
        "text": text,
        "form": search_form(request, filters, text),
    }
    response = page(request, "web/members/list.html", context)
    if request.headers.get("HX-Request"):
        response.headers["HX-Push-Url"] = request.get_full_path()
    return response


def search_form(request: PageRequest, filters: PeopleFilters, text: str) -> SearchForm:
    """The form that shows the present filters."""
    initial = {
        "text": text,
        "type": filters.user_type,
        "school": filters.org_id,
        "status": filters.status,
        "no_id": filters.without_id,
    }
    return SearchForm(initial=initial, orgs=managed_orgs(actor=request.user))


@for_managers
@require_POST
def user_search(request: PageRequest) -> HttpResponse:
    """Keeps the text in the session and goes on to the list, whose address holds the filters only."""
    filters, text = read_filters(request.POST), request.POST.get("text", "").strip()[:254]
    sign = keep_search(request.session, text) if text else ""
    return see_other("web:user_admin", query=replace(filters, search=sign).query)


def ticked(request: PageRequest) -> list[Account]:
    """The ticked people, by name. One whom the actor does not manage is left out like one that is not there."""
    numbers = [number for number in request.POST.getlist("account") if can_be_number(number)]
    accounts = managed_accounts(actor=request.user).filter(pk__in=numbers)
    return list(accounts.order_by("last_name", "first_name", "id"))


def back_to_list(request: PageRequest) -> HttpResponseRedirect:
    """The list with the filters it had before."""
    filters = read_filters(QueryDict(request.POST.get("back", "")))
    return see_other("web:user_admin", query=filters.query)


def list_address(request: PageRequest) -> str:
    """The address of the list with the filters it had before."""
    query = read_filters(QueryDict(request.POST.get("back", ""))).query
    return f"{reverse('web:user_admin')}?{query}" if query else reverse("web:user_admin")
