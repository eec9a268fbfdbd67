"""Members > User Admin: find people, tick them, and do something with them."""

from collections.abc import Callable
from dataclasses import replace

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from sis_sync.core.errors import NotPermitted, SisSyncError
from sis_sync.core.limits import RESTORABLE_FOR
from sis_sync.core.wording import counted
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.selectors import managed_accounts, search_accounts
from sis_sync.server.accounts.services import (
    delete_accounts,
    disable_accounts,
    enable_accounts,
    restore_accounts,
    set_password,
)
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.selectors import access_org, can_be_number, managed_orgs
from sis_sync.server.web.access import PageRequest, for_managers
from sis_sync.server.web.forms.people import DeleteForm, NewPasswordForm, SearchForm
from sis_sync.server.web.people_list import (
    PeopleFilters,
    count_capped,
    count_people,
    keep_search,
    people_page,
    read_filters,
    searched_text,
)
from sis_sync.server.web.render import page, say, see_other
from sis_sync.server.web.words import DONE_WORDS


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


ACTS: dict[str, Callable[..., int]] = {
    "disable": disable_accounts,
    "enable": enable_accounts,
    "delete": delete_accounts,
    "restore": restore_accounts,
}


@for_managers
@require_POST
def people_act(request: PageRequest) -> HttpResponse:
    """Asks first, naming the people; does it once that is confirmed."""
    action, people = request.POST.get("action", ""), ticked(request)
    if not people:
        messages.error(request, "Nobody is ticked. Tick at least one person, then choose what to do.")
        return back_to_list(request)
    if action == "edit":
        return edit(request, people)
    if action == "password":
        return change_password(request, people)
    if action not in ACTS:
        messages.error(request, "Choose what to do with the ticked people.")
        return back_to_list(request)
    return confirm_or_do(request, action, people)


def edit(request: PageRequest, people: list[Account]) -> HttpResponse:
    """Edit User Info is for one person at a time."""
    if len(people) > 1:
        messages.error(request, f"{len(people):,} people are ticked. Tick one person to edit their info.")
        return back_to_list(request)
    return see_other("web:account_edit", people[0].pk)


def confirm_or_do(request: PageRequest, action: str, people: list[Account]) -> HttpResponse:
    """The page that names the people, or the deed."""
    is_confirmed = request.POST.get("confirmed") == "yes"
    form = DeleteForm(request.POST if is_confirmed else None, people=len(people))
    if action != "delete":
        del form.fields["typed"]
    if is_confirmed and form.is_valid():
        try:
            number = ACTS[action](accounts=people, actor=request.user, now=timezone.now())
        except (NotPermitted, ValuesRefused) as error:
            form.add_error(None, f"{error.message} {error.fix}".strip())
        else:
            say(request, f"{DONE_WORDS[action]}: {counted(number, 'person', 'people')}.")
            return back_to_list(request)
    context = {
        "action": action,
        "people": people,
        "form": form,
        "back": request.POST.get("back", ""),
        "list_address": list_address(request),
        "restorable_until": timezone.now() + RESTORABLE_FOR,
    }
    return page(request, "web/members/confirm.html", context)


def change_password(request: PageRequest, people: list[Account]) -> HttpResponse:
    """A new password for one person; each has a password of their own."""
    if len(people) > 1:
        messages.error(request, f"{len(people):,} people are ticked. Tick one person to change their password.")
        return back_to_list(request)
    form = NewPasswordForm(request.POST if request.POST.get("confirmed") == "yes" else None)
    if form.is_valid():
        try:
            set_password(
                account=people[0], password=form.cleaned_data["password"], actor=request.user, now=timezone.now()
            )
        except ValuesRefused as refused:
            form.take_refusals(refused)
        except SisSyncError as error:
            form.add_error(None, f"{error.message} {error.fix}".strip())
        else:
            say(request, f"The password of {people[0].full_name} was changed. They are signed out everywhere.")
            return back_to_list(request)
    context = {
        "person": people[0],
        "form": form,
        "back": request.POST.get("back", ""),
        "list_address": list_address(request),
    }
    return page(request, "web/members/password.html", context)
