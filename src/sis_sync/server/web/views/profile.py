"""One's own profile and password."""

from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sis_sync.server.accounts.services import set_password
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.models import Right
from sis_sync.server.web.access import PageRequest, for_everybody
from sis_sync.server.web.forms.people import OwnPasswordForm
from sis_sync.server.web.render import page, say, see_other, sent


@for_everybody
@require_http_methods(["GET", "POST"])
def profile(request: PageRequest) -> HttpResponse:
    """What is known of oneself, and the form that changes the password."""
    form = OwnPasswordForm(sent(request))
    if request.method == "POST" and form.is_valid() and changed_password(request, form):
        say(request, "Your password was changed. Your other sessions were signed out.")
        return see_other("web:profile")
    rights = Right.objects.filter(account=request.user).select_related("org")
    return page(request, "web/profile.html", {"form": form, "rights": rights, "account": request.user})


def changed_password(request: PageRequest, form: OwnPasswordForm) -> bool:
    """Whether the new password was taken; this session goes on, others end."""
    if not request.user.check_password(form.cleaned_data["present"]):
        form.add_error("present", "This is not your present password. Nothing was changed.")
        return False
    try:
        account = set_password(
            account=request.user, password=form.cleaned_data["password"], actor=request.user, now=timezone.now()
        )
    except ValuesRefused as refused:
        form.take_refusals(refused)
        return False
    update_session_auth_hash(request, account)
    return True
