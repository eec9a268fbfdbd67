"""First set-up: the page of the one-time setup link, which claims an empty server."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sis_sync.core.errors import NotPermitted
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.sessions import begin_session
from sis_sync.server.setup.link import NEW_LINK, is_setup_open
from sis_sync.server.setup.services import Claim, claim_setup
from sis_sync.server.web.forms.orgs import SetupForm
from sis_sync.server.web.render import flash, form_data, see_other

LINK_IS_OVER = NotPermitted("It was used, or its 60 minutes are over.", fix=NEW_LINK)


@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest, token: str) -> HttpResponse:
    """Name the school system and create its first manager, who is then signed in."""
    if not is_setup_open(token=token, now=timezone.now()):
        return render(request, "web/session/setup_over.html", {"error": LINK_IS_OVER}, status=410)
    form = SetupForm(form_data(request))
    if request.method == "POST" and form.is_valid() and claim_with_form(request, form, token):
        flash(request, "Your school system is set up. Next: add your schools, then upload a file.")
        return see_other("web:settings")
    return render(request, "web/session/setup.html", {"form": form})


def claim_with_form(request: HttpRequest, form: SetupForm, token: str) -> bool:
    """Create the school system and sign its manager in. Return False if it is refused: then the form shows why."""
    values = dict(form.cleaned_data)
    try:
        claim = Claim(system_name=values.pop("name"), district_external_id=values.pop("external_id"), **values)
        with transaction.atomic():
            begin_session(request, claim_setup(claim, token=token, now=timezone.now()))
    except (ValuesRefused, NotPermitted) as error:
        form.add_refusal(error)
        return False
    return True
