"""What User Admin does with the ticked people: disable, enable, delete, restore, change password."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from sis_sync.core.errors import NotPermitted, SisSyncError
from sis_sync.core.limits import RESTORABLE_FOR
from sis_sync.core.wording import counted
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.services import (
    delete_accounts,
    disable_accounts,
    enable_accounts,
    restore_accounts,
    set_password,
)
from sis_sync.server.refused_values import ValuesRefused
from sis_sync.server.web.entrance import PageRequest, for_managers
from sis_sync.server.web.forms.people import DeleteForm, NewPasswordForm
from sis_sync.server.web.render import page, say, see_other
from sis_sync.server.web.views.user_admin import back_to_list, list_address, ticked
from sis_sync.server.web.words import DONE_WORDS

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
