"""The profile: one's own account, names and password."""

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sis_sync.core.errors import NotPermitted
from sis_sync.core.fields import NAME_FIELDS
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.own_names import change_own_names, may_change_names
from sis_sync.server.accounts.services import set_password
from sis_sync.server.accounts.sign_in import place_of, proves_present_password
from sis_sync.server.errors import NotNow, ValuesRefused
from sis_sync.server.orgs.models import Right
from sis_sync.server.sessions import keep_only_session
from sis_sync.server.web.access import PageRequest, for_everyone
from sis_sync.server.web.forms.people import OwnNamesForm, OwnPasswordForm
from sis_sync.server.web.render import flash, flash_error, form_data, page, see_other, with_retry_after


@for_everyone
@require_http_methods(["GET", "POST"])
def profile(request: PageRequest) -> HttpResponse:
    """The values of one's own account, and the forms that change the password and, where allowed, the names."""
    is_of_names = request.POST.get("what") == "names"
    form = OwnPasswordForm(None if is_of_names else form_data(request))
    names = OwnNamesForm(request.POST if is_of_names else None, initial=names_of(request.user))
    try:
        if is_of_names and names.is_valid() and change_names(request, names):
            flash(request, "Your names were changed.")
            return see_other("web:profile")
        if form.is_bound and form.is_valid() and change_password(request, form):
            flash(request, "Your password was changed. Your other sessions were signed out.")
            return see_other("web:profile")
    except NotPermitted as error:  # the district has just changed its mind
        flash_error(request, error)
        return see_other("web:profile")
    except NotNow as error:
        form.add_refusal(error)
        return with_retry_after(profile_page(request, form, names), error)
    return profile_page(request, form, names)


def profile_page(request: PageRequest, form: OwnPasswordForm, names: OwnNamesForm) -> HttpResponse:
    """Return the page with the forms as they are."""
    context = {
        "account": request.user,
        "rights": Right.objects.filter(account=request.user).select_related("org"),
        "password_form": form,
        "names_form": names if may_change_names(request.user) else None,
        "form": names if names.is_bound else form,  # whose faults the title and the summary show
    }
    return page(request, "web/profile.html", context)


def names_of(account: Account) -> dict[str, str]:
    """Return the names of the account."""
    return {name: getattr(account, name) for name in NAME_FIELDS}


def change_names(request: PageRequest, form: OwnNamesForm) -> bool:
    """Change the names. Return False if they are refused: then the form shows the fault."""
    try:
        change_own_names(account=request.user, names=form.cleaned_data, now=timezone.now())
    except ValuesRefused as error:
        form.add_refusal(error)
        return False
    return True


def change_password(request: PageRequest, form: OwnPasswordForm) -> bool:
    """Change the password and end all other sessions. Return False if it is refused: then the form shows the fault."""
    present = form.cleaned_data["present"]
    if not proves_present_password(account=request.user, password=present, place=place_of(request)):
        form.add_error("present", "This is not your present password. Nothing was changed.")
        return False
    try:
        with transaction.atomic():
            account = set_password(
                account=request.user, password=form.cleaned_data["password"], actor=request.user, now=timezone.now()
            )
            keep_only_session(request, account)
    except ValuesRefused as error:
        form.add_refusal(error)
        return False
    return True
