"""One account: create it, its history, and the orgs that it manages. edit_info.py edits it."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sis_sync.core.errors import NotPermitted
from sis_sync.core.limits import RESTORABLE_FOR
from sis_sync.server.accounts.edited_names import name_edits
from sis_sync.server.accounts.models import Account, ClaimCode
from sis_sync.server.accounts.own_names import editors_of, set_names_back
from sis_sync.server.accounts.selectors import access_account
from sis_sync.server.accounts.services import create_account
from sis_sync.server.audit.models import AccountChange
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.models import Right
from sis_sync.server.orgs.selectors import access_org, is_district_manager, managed_orgs
from sis_sync.server.orgs.services import give_right, take_right
from sis_sync.server.runs.selectors import runs_of
from sis_sync.server.runs.two_people import tell_apart
from sis_sync.server.web.access import PageRequest, for_district_managers, for_managers
from sis_sync.server.web.decision.slices import schools_shown
from sis_sync.server.web.forms.orgs import RightForm
from sis_sync.server.web.forms.people import CreateAccountForm
from sis_sync.server.web.render import flash, flash_error, form_data, page, paged, see_other
from sis_sync.server.web.taking_back import left_by
from sis_sync.server.web.views.edit_info import typed_values
from sis_sync.server.web.words import MAY_LEAVE_AGAIN

Line = tuple[str, Any, Any]


@for_managers
@require_GET
def account_history(request: PageRequest, account_id: int) -> HttpResponse:
    """The account's values and everything that changed them."""
    account = access_account(actor=request.user, account_id=account_id)
    changes = AccountChange.objects.filter(account=account).select_related("actor", "run")
    restorable_until = account.deleted_at + RESTORABLE_FOR if account.deleted_at else None
    is_restorable = restorable_until is not None and timezone.now() < restorable_until
    editors = editors_of(account)
    shown = paged(request, changes.order_by("-changed_at", "-id"))
    named = [change.run_id for change in shown if change.run_id]
    context = {
        "account": account,
        "zeros_words": zeros_words(account),
        "held_words": held_words(account, is_restorable=is_restorable),
        "name_edits": [(edit, editors.get(edit.field)) for edit in name_edits(account)],
        "left_by": left_by(account, now=timezone.now()),
        "restorable_until": restorable_until,
        "is_restorable": is_restorable,
        "claim_code": ClaimCode.objects.filter(account=account, expires_at__gt=timezone.now()).first(),
        "changes": shown,
        "history": with_values(shown, account.school_system_id),
        "runs_to_follow": {*runs_of(actor=request.user).filter(pk__in=named).values_list("pk", flat=True)},
        "rights": Right.objects.filter(account=account).select_related("org"),
        "right_form": RightForm(orgs=managed_orgs(actor=request.user)),
        "may_give_rights": is_district_manager(account=request.user) and account.deleted_at is None,
    }
    return page(request, "web/members/account.html", context)


def with_values(changes: Iterable[AccountChange], school_system_id: int) -> list[tuple[AccountChange, list[Line]]]:
    """Return each change with name, old and new value of its fields, without those that were empty and still are."""
    found = [(change, list(changed_values(change))) for change in changes]
    named = schools_shown(school_system_id, (line for _, lines in found for line in lines))
    return [(change, [named(line, change.changed_at) for line in lines]) for change, lines in found]


def changed_values(change: AccountChange) -> Iterator[Line]:
    """Yield name, old and new value of each field."""
    for name in {**change.before, **change.after}:
        old, new = change.before.get(name), change.after.get(name)
        if old not in (None, "") or new not in (None, ""):
            yield name, old, new


def zeros_words(account: Account) -> str:
    """Return why someone else may need an ID that is like the account's. Empty for an account without an ID."""
    if not account.custom_id:
        return ""
    return (
        f"A row with an unknown ID that differs from {account.custom_id} in leading zeros only fails, because a "
        "spreadsheet may have cut the zeros. If it is another person, enter that ID here."
    )


def held_words(account: Account, *, is_restorable: bool) -> str:
    """Return why files cannot enable or restore the account. Empty if they can, or if not even a person can."""
    if not account.is_held_by_hand:
        return ""
    if account.deleted_at is None:
        return "Disabled by hand: no file enables or changes it until someone enables it here."
    if not is_restorable:
        return ""
    deletions = AccountChange.objects.filter(account=account, action="delete").order_by("-changed_at", "-id")
    last = deletions.first()
    if last is None or last.run_id is None:
        return "Deleted by hand: it stays deleted, whatever files say, until someone restores it here."
    return (
        f"Disabled by hand, and later deleted by run {last.run_id}, whose file did not name it. "
        "No file brings it back. If you restore it here, it is disabled."
    )


@for_managers
@require_http_methods(["GET", "POST"])
def account_create(request: PageRequest) -> HttpResponse:
    """Create User."""
    form = CreateAccountForm(form_data(request), orgs=managed_orgs(actor=request.user))
    if request.method == "POST" and form.is_valid():
        try:
            account = create_account(
                school_system=request.user.school_system,
                org=access_org(actor=request.user, org_id=form.cleaned_data["org"]),
                values=typed_values(form),
                password=form.cleaned_data["password"] or None,
                must_change=form.cleaned_data["must_change"],
                actor=request.user,
                now=timezone.now(),
            )
        except ValuesRefused as error:
            form.add_refusal(error)
        else:
            created = f"{account.full_name} was created."
            flash(request, f"{created} {MAY_LEAVE_AGAIN}" if account.custom_id else created)
            return see_other("web:account_history", account.pk)
    return page(request, "web/members/create.html", {"form": form})


@for_managers
@require_POST
def names_of_sis(request: PageRequest, account_id: int) -> HttpResponse:
    """Give the person the names of the SIS again, instead of those that someone edited here."""
    account = access_account(actor=request.user, account_id=account_id)
    try:
        set_names_back(account=account, actor=request.user, now=timezone.now())
    except (NotPermitted, ValuesRefused) as error:
        flash_error(request, error)
    else:
        flash(request, "The account has the names of the SIS again.")
    return see_other("web:account_history", account.pk)


@for_district_managers
@require_POST
def account_rights(request: PageRequest, account_id: int) -> HttpResponse:
    """Grant the person a right over an org, or remove it."""
    account: Account = access_account(actor=request.user, account_id=account_id)
    org = access_org(actor=request.user, org_id=request.POST.get("org", ""))
    try:
        if request.POST.get("action") == "take":
            take_right(account=account, org=org, actor=request.user, now=timezone.now())
            flash(request, f"{account.full_name} no longer manages {org.name}.")
        elif request.POST.get("action") == "give":
            give_right(account=account, org=org, actor=request.user, now=timezone.now())
            flash(request, f"{account.full_name} now manages {org.name}.")
    except NotPermitted as error:
        flash_error(request, error)
    return see_other("web:account_history", account.pk)


@for_managers
@require_POST
def two_people_of_account(request: PageRequest, account_id: int) -> HttpResponse:
    """Someone else has an ID that differs from this account's in leading zeros only."""
    account = access_account(actor=request.user, account_id=account_id)
    try:
        tell_apart(account=account, custom_id=request.POST.get("custom_id", ""), actor=request.user, now=timezone.now())
    except ValuesRefused as error:
        flash_error(request, error)
    else:
        flash(request, "Kept: they are two people. The next file with that ID creates the other one.")
    return see_other("web:account_history", account.pk)
