"""One account: create, edit, its history, and whom it manages."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sis_sync.core.errors import NotPermitted
from sis_sync.core.fields import FIELD_NAMES
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.selectors import access_account
from sis_sync.server.accounts.services import create_account, update_account
from sis_sync.server.audit.models import AccountChange
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.models import Right
from sis_sync.server.orgs.selectors import access_org, is_district_manager, managed_orgs
from sis_sync.server.orgs.services import give_right, take_right
from sis_sync.server.web.access import PageRequest, for_district_managers, for_managers
from sis_sync.server.web.forms.base import PageForm
from sis_sync.server.web.forms.orgs import RightForm
from sis_sync.server.web.forms.people import CreateAccountForm, EditAccountForm, initial_of
from sis_sync.server.web.render import page, say, say_refused, see_other, sent
from sis_sync.server.web.words import held_words, is_restorable, restorable_until

PAGE_SIZE = 50


@for_managers
@require_GET
def account_history(request: PageRequest, account_id: int) -> HttpResponse:
    """The account's values and everything that changed them."""
    account = access_account(actor=request.user, account_id=account_id)
    changes = AccountChange.objects.filter(account=account).select_related("actor", "run")
    now = timezone.now()
    context = {
        "account": account,
        "held_words": held_words(account, now),
        "restorable_until": restorable_until(account),
        "is_restorable": is_restorable(account, now),
        "changes": Paginator(changes.order_by("-changed_at", "-id"), PAGE_SIZE).get_page(request.GET.get("page")),
        "rights": Right.objects.filter(account=account).select_related("org"),
        "right_form": RightForm(orgs=managed_orgs(actor=request.user)),
        "may_give_rights": is_district_manager(account=request.user) and account.deleted_at is None,
    }
    return page(request, "web/members/account.html", context)


@for_managers
@require_http_methods(["GET", "POST"])
def account_edit(request: PageRequest, account_id: int) -> HttpResponse:
    """Edit User Info, with the Employee ID or Student ID."""
    account = access_account(actor=request.user, account_id=account_id)
    form = EditAccountForm(sent(request), initial=initial_of(account), orgs=managed_orgs(actor=request.user))
    if request.method == "POST" and form.is_valid():
        try:
            update_account(
                account=account,
                values=typed_values(form),
                org=access_org(actor=request.user, org_id=form.cleaned_data["org"]),
                is_protected=form.cleaned_data["is_protected"],
                protected_reason=form.cleaned_data["protected_reason"],
                actor=request.user,
                now=timezone.now(),
            )
        except ValuesRefused as refused:
            form.take_refusals(refused)
        except NotPermitted as error:
            form.add_error(None, f"{error.message} {error.fix}".strip())
        else:
            say(request, "The account was updated.")
            return see_other("web:account_history", account.pk)
    return page(request, "web/members/edit.html", {"account": account, "form": form})


@for_managers
@require_http_methods(["GET", "POST"])
def account_create(request: PageRequest) -> HttpResponse:
    """Create User."""
    form = CreateAccountForm(sent(request), orgs=managed_orgs(actor=request.user))
    if request.method == "POST" and form.is_valid():
        try:
            account = create_account(
                school_system=request.user.school_system,
                org=access_org(actor=request.user, org_id=form.cleaned_data["org"]),
                values=typed_values(form),
                password=form.cleaned_data["password"] or None,
                actor=request.user,
                now=timezone.now(),
            )
        except ValuesRefused as refused:
            form.take_refusals(refused)
        else:
            say(request, f"{account.full_name} was created.")
            return see_other("web:account_history", account.pk)
    return page(request, "web/members/create.html", {"form": form})


def typed_values(form: PageForm) -> dict[str, str]:
    """The fields of a roster that the form holds; the org is chosen, not typed."""
    return {name: form.cleaned_data[name] for name in FIELD_NAMES if name in form.cleaned_data}


@for_district_managers
@require_POST
def account_rights(request: PageRequest, account_id: int) -> HttpResponse:
    """Gives a right, or takes one away."""
    account: Account = access_account(actor=request.user, account_id=account_id)
    org = access_org(actor=request.user, org_id=request.POST.get("org", ""))
    try:
        if request.POST.get("action") == "take":
            take_right(account=account, org=org, actor=request.user, now=timezone.now())
            say(request, f"{account.full_name} no longer manages {org.name}.")
        elif request.POST.get("action") == "give":
            give_right(account=account, org=org, actor=request.user, now=timezone.now())
            say(request, f"{account.full_name} now manages {org.name}.")
    except NotPermitted as error:
        say_refused(request, error)
    return see_other("web:account_history", account.pk)
