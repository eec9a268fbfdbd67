"""Members > User Admin: find people, tick them, and do something with them."""

from collections.abc import Callable
from dataclasses import replace

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from sis_sync.core.errors import NotPermitted, SisSyncError
from sis_sync.core.limits import RESTORABLE_FOR
from sis_sync.core.wording import counted
from sis_sync.server.accounts.bulk_edit import MOST_TOGETHER
from sis_sync.server.accounts.first_sign_in import USUAL_VALIDITY, generate_passwords, make_claim_codes
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.search import MOST_LISTED
from sis_sync.server.accounts.selectors import DELETED, managed_accounts, search_accounts
from sis_sync.server.accounts.services import (
    delete_accounts,
    disable_accounts,
    enable_accounts,
    restore_accounts,
    set_password,
)
from sis_sync.server.errors import NotNow, ValuesRefused
from sis_sync.server.orgs.selectors import managed_orgs
from sis_sync.server.web.access import PageRequest, for_managers
from sis_sync.server.web.forms.base import PageForm
from sis_sync.server.web.forms.people import DeleteForm, NewPasswordForm, SearchForm
from sis_sync.server.web.people_list import (
    CappedCount,
    PeopleFilters,
    count_capped,
    count_people,
    people_page,
    read_filters,
)
from sis_sync.server.web.render import flash, page, see_other
from sis_sync.server.web.sealed import sealed_search, search_text
from sis_sync.server.web.ticked import back_to_list, back_to_place, chosen_people, found_people, list_filters
from sis_sync.server.web.views.edit_info import edit_people
from sis_sync.server.web.views.first_sign_in import codes_answer, refuse_too_many_sheets
from sis_sync.server.web.words import MAY_LEAVE_AGAIN, action_word, error_words

# The actions that ask first and can be done to many people at once.
SERVICES: dict[str, Callable[..., int]] = {
    "disable": disable_accounts,
    "enable": enable_accounts,
    "delete": delete_accounts,
    "restore": restore_accounts,
}


@for_managers
@require_GET
def user_admin(request: PageRequest) -> HttpResponse:
    """Show the people who match the search and the filters in the URL, 50 per page."""
    filters = read_filters(request.GET)
    text = search_text(filters.search, reader=request.user)
    found = found_people(request, filters)
    shown = people_page(
        found,
        visible=managed_accounts(actor=request.user),
        before=request.GET.get("before", ""),
        after=request.GET.get("after", ""),
    )
    count = count_people(found, shown)
    if is_cut := bool(text) and count.number > MOST_LISTED:
        count = CappedCount(MOST_LISTED, is_capped=True)
    context = {
        "people": shown,
        "count": count,
        "is_cut": is_cut,
        "everyone": 0 if shown.is_whole or count.number > MOST_TOGETHER else count.number,
        **(deleted_matches(request, filters, text) if text and not shown.rows else {}),
        "no_id_count": count_capped(search_accounts(actor=request.user, without_id=True)),
        "filters": filters,
        "text": text,
        "form": search_form(request, filters, text),
    }
    response = page(request, "web/members/list.html", context)
    if request.headers.get("HX-Request"):
        # htmx requested the URL of the search. The address bar gets the URL of the list, which can be reloaded.
        response.headers["HX-Push-Url"] = request.get_full_path()
    return response


def deleted_matches(request: PageRequest, filters: PeopleFilters, text: str) -> dict[str, object]:
    """Return the values for the link to the deleted people who match the text, or {} if there are none."""
    if filters.status == DELETED:
        return {}
    count = count_capped(search_accounts(actor=request.user, text=text, status=DELETED))
    deleted = PeopleFilters(status=DELETED, search=filters.search)
    return {"deleted_count": count, "deleted_query": deleted.query} if count.number else {}


def search_form(request: PageRequest, filters: PeopleFilters, text: str) -> SearchForm:
    """Return the form filled with the current search and filters."""
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
    """Redirect to the list, whose address contains the filters and the sealed search text."""
    filters, text = read_filters(request.POST), request.POST.get("text", "").strip()[:254]
    search = sealed_search(text, reader=request.user)
    return see_other("web:user_admin", query=replace(filters, search=search).query)


@for_managers
@require_POST
def people_act(request: PageRequest) -> HttpResponse:
    """Name the ticked people and ask for confirmation. Once confirmed, carry out the chosen action."""
    action, people = request.POST.get("action", ""), chosen_people(request)
    if not people:
        fault = "No one is ticked. Tick at least one person, then choose what to do."
    elif len(people) > MOST_TOGETHER:
        fault = f"You ticked more than {MOST_TOGETHER} people. Tick fewer, or send a file for so many."
    elif action in SERVICES:
        return confirm_or_do(request, action, people)
    elif action == "edit" and len(people) == 1 and "step" not in request.POST:
        return see_other("web:account_edit", people[0].pk)
    elif action == "edit":
        return edit_people(request, people)
    elif action == "password":
        return change_passwords(request, people)
    elif action == "codes":
        return make_codes(request, people)
    else:
        fault = "Choose what to do with the ticked people."
    messages.error(request, fault)
    return see_other("web:user_admin", query=list_filters(request).query)


def confirm_or_do(request: PageRequest, action: str, people: list[Account]) -> HttpResponse:
    """Show the page that names the people and asks for confirmation. Once confirmed, do the action and go back."""
    is_confirmed = request.POST.get("confirmed") == "yes"
    form = DeleteForm(request.POST if is_confirmed else None, people=len(people))
    if action != "delete":
        del form.fields["typed"]
    if is_confirmed and form.is_valid():
        try:
            number = SERVICES[action](accounts=people, actor=request.user, now=timezone.now())
        except (NotPermitted, ValuesRefused) as error:
            form.add_error(None, error_words(error))  # the page has no fields for the values that were refused
        else:
            done = f"{action_word(action, is_done=True)}: {counted(number, 'person', 'people')}."
            flash(request, f"{done} {MAY_LEAVE_AGAIN}" if action == "restore" else done)
            return back_to_place(request, people)
    context = {
        "action": action,
        "people": people,
        "form": form,
        "restorable_until": timezone.now() + RESTORABLE_FOR,
        **back_to_list(request),
    }
    return page(request, "web/members/confirm.html", context)


def change_passwords(request: PageRequest, people: list[Account]) -> HttpResponse:
    """Ask for the new password of one person, or offer to generate one for each. Once confirmed, set them."""
    is_generated = request.POST.get("how") == "generated"
    data = request.POST if request.POST.get("confirmed") == "yes" else None
    form = NewPasswordForm(data, is_typed=len(people) == 1 and not is_generated)
    if form.is_valid():
        choice = {"must_change": form.cleaned_data["must_change"], "actor": request.user, "now": timezone.now()}
        try:
            if "password" not in form.fields:
                shown = generate_passwords(accounts=people, **choice)
                return page(request, "web/members/shown_once.html", {"shown": shown, **back_to_list(request)})
            set_password(account=people[0], password=form.cleaned_data["password"], **choice)
        except NotNow:
            raise  # the page of this error submits the form again
        except SisSyncError as error:
            form.add_refusal(error)
        else:
            flash(request, f"The password of {people[0].full_name} was changed. They are signed out everywhere.")
            return back_to_place(request, people)
    if len(people) == 1 and "password" not in form.fields:
        form = NewPasswordForm(is_typed=True)
    context = {"people": people, "person": people[0], "form": form, **back_to_list(request)}
    return page(request, "web/members/password.html", context)


def make_codes(request: PageRequest, people: list[Account]) -> HttpResponse:
    """Name the ticked people and offer claim codes for them. Once confirmed, show the codes."""
    form = PageForm(request.POST if request.POST.get("confirmed") == "yes" else None)
    if form.is_valid():
        try:
            refuse_too_many_sheets(request, len(people))
            shown = make_claim_codes(accounts=people, valid_for=USUAL_VALIDITY, actor=request.user, now=timezone.now())
        except SisSyncError as error:
            form.add_refusal(error)
        else:
            return codes_answer(request, shown, expires_at=timezone.now() + USUAL_VALIDITY)
    context = {"action": "codes", "people": people, "form": form, **back_to_list(request)}
    return page(request, "web/members/confirm.html", context)
