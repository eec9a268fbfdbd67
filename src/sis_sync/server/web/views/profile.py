"""The profile: one's own account and password."""

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sis_sync.server.accounts.services import set_password
from sis_sync.server.accounts.sign_in import place_of, proves_present_password
from sis_sync.server.errors import NotNow, ValuesRefused
from sis_sync.server.orgs.models import Right
from sis_sync.server.sessions import keep_only_session
from sis_sync.server.web.access import PageRequest, for_everyone
from sis_sync.server.web.forms.people import OwnPasswordForm
from sis_sync.server.web.render import flash, form_data, page, see_other, with_retry_after


@for_everyone
@require_http_methods(["GET", "POST"])
def profile(request: PageRequest) -> HttpResponse:
    """The values of one's own account, and the form that changes the password."""
    form = OwnPasswordForm(form_data(request))
    try:
        if request.method == "POST" and form.is_valid() and change_password(request, form):
            flash(request, "Your password was changed. Your other sessions were signed out.")
            return see_other("web:profile")
    except NotNow as error:
        form.add_refusal(error)
        return with_retry_after(profile_page(request, form), error)
    return profile_page(request, form)


def profile_page(request: PageRequest, form: OwnPasswordForm) -> HttpResponse:
    """Return the page with the form as it is."""
    rights = Right.objects.filter(account=request.user).select_related("org")
    return page(request, "web/profile.html", {"form": form, "rights": rights, "account": request.user})


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
