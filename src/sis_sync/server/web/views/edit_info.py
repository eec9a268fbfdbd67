"""Edit User Info: of one person, or of several people with a review of old and new values."""

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sis_sync.core.errors import NotPermitted
from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.wording import counted
from sis_sync.server.accounts.bulk_edit import CommonEdit, edit_accounts, edits_of
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.selectors import access_account
from sis_sync.server.accounts.services import update_account
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.selectors import access_org, managed_orgs
from sis_sync.server.web.access import PageRequest, for_managers
from sis_sync.server.web.forms.base import PageForm
from sis_sync.server.web.forms.people import EditAccountForm, EditPeopleForm, initial_values
from sis_sync.server.web.render import flash, form_data, page, see_other
from sis_sync.server.web.ticked import back_to_list, back_to_place


@for_managers
@require_http_methods(["GET", "POST"])
def account_edit(request: PageRequest, account_id: int) -> HttpResponse:
    """Edit User Info, with the Employee ID or Student ID."""
    account = access_account(actor=request.user, account_id=account_id)
    form = EditAccountForm(form_data(request), initial=initial_values(account), orgs=managed_orgs(actor=request.user))
    if request.method == "POST" and form.is_valid():
        try:
            update_account(
                account=account,
                values={name: value for name, value in typed_values(form).items() if form.is_touched(name)},
                org=access_org(actor=request.user, org_id=form.cleaned_data["org"]) if form.is_touched("org") else None,
                is_protected=form.cleaned_data["is_protected"] if touches_protection(form) else None,
                protected_reason=form.cleaned_data["protected_reason"],
                actor=request.user,
                now=timezone.now(),
            )
        except (ValuesRefused, NotPermitted) as error:
            form.add_refusal(error)
        else:
            flash(request, "The account was updated.")
            return see_other("web:account_history", account.pk)
    return page(request, "web/members/edit.html", {"account": account, "form": form})


def touches_protection(form: EditAccountForm) -> bool:
    """Return True if the person changed the protection, or its reason, that the page showed."""
    return form.is_touched("is_protected") or form.is_touched("protected_reason")


def typed_values(form: PageForm) -> dict[str, str]:
    """Return the submitted values of the fields that a roster has too. The org is chosen, not typed."""
    return {name: form.cleaned_data[name] for name in FIELD_NAMES if name in form.cleaned_data}


def edit_people(request: PageRequest, people: list[Account]) -> HttpResponse:
    """Show the form; once it is sent, the review; once that is confirmed, change the people and return to the list."""
    step = request.POST.get("step", "")
    form = EditPeopleForm(request.POST if step else None, orgs=managed_orgs(actor=request.user))
    context = {"people": people, "form": form, **back_to_list(request)}
    if step not in ("review", "save") or not form.is_valid():
        return page(request, "web/members/edit_people.html", context)
    edit = common_edit(request, form)
    try:
        if step == "save":
            number = edit_accounts(accounts=people, edit=edit, actor=request.user, now=timezone.now())
            flash(request, f"Updated: {counted(number, 'person', 'people')}.")
            return back_to_place(request, people)
        edits = edits_of(accounts=people, edit=edit)
    except (ValuesRefused, NotPermitted) as error:
        form.add_refusal(error)
        return page(request, "web/members/edit_people.html", context)
    changed = [each for each in edits if each.changes]
    context |= {"changed": changed, "unchanged": len(edits) - len(changed)}
    return page(request, "web/members/review_people.html", context)


def common_edit(request: PageRequest, form: EditPeopleForm) -> CommonEdit:
    """Return what the form changes. Fields that it leaves as they are do not count."""
    chosen = form.cleaned_data
    return CommonEdit(
        values={name: chosen[name] for name in ("user_type", "grade", "position") if chosen[name].strip()},
        org=access_org(actor=request.user, org_id=chosen["org"]) if chosen["org"] else None,
        is_protected={"yes": True, "no": False}.get(chosen["protection"]),
        protected_reason=chosen["protected_reason"],
    )
