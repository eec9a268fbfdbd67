"""Sign in and sign out."""

from django.contrib.auth import SESSION_KEY, authenticate, logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.sign_in import school_system_at
from sis_sync.server.errors import NotNow
from sis_sync.server.lock_wait import refuse_if_locked
from sis_sync.server.orgs.models import SchoolSystem
from sis_sync.server.sessions import begin_session, ends_at
from sis_sync.server.web.forms.orgs import SignInForm, WhichSystemForm
from sis_sync.server.web.render import form_data, see_other, with_retry_after

WRONG_PAIR = "This e-mail and password do not belong together, or the account is disabled. Nothing else is wrong."


@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest, slug: str = "") -> HttpResponse:
    """The sign-in page of a school system. Without a slug it asks for the school system if there are several."""
    system = school_system_at(slug)
    if system is None:
        return which_system(request, slug)
    form = SignInForm(form_data(request))
    if request.method == "POST" and form.is_valid():
        refuse_if_locked()  # before the password is hashed, which takes long
        try:
            account = check_credentials(request, system, form)
        except NotNow as error:
            form.add_refusal(error)
            return with_retry_after(sign_in_page(request, system, form), error)
        if account is not None:
            begin_session(request, account)
            return HttpResponseRedirect(next_address(request), status=303)
    return sign_in_page(request, system, form)


def sign_in_page(request: HttpRequest, system: SchoolSystem, form: SignInForm) -> HttpResponse:
    """Return the page with the form as it is."""
    context = {
        "form": form,
        "system": system,
        "next": request.GET.get("next") or request.POST.get("next") or "",
        "has_ended": SESSION_KEY in request.session and not request.user.is_authenticated,
    }
    return render(request, "web/session/sign_in.html", context)


def check_credentials(request: HttpRequest, system: SchoolSystem, form: SignInForm) -> Account | None:
    """Return the account with this address and password. If there is none, return None and show why in the form."""
    pair = {"email": form.cleaned_data["email"], "password": form.cleaned_data["password"]}
    account = authenticate(request, school_system=system, now=timezone.now(), **pair)
    if not isinstance(account, Account):
        form.add_error(None, WRONG_PAIR)
        return None
    return account


def next_address(request: HttpRequest) -> str:
    """Return the page requested before signing in, or Home if that page is on another server."""
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else reverse("web:home")


def which_system(request: HttpRequest, slug: str, *, then: str = "web:sign_in_at") -> HttpResponse:
    """Ask for the short name of the school system, then lead to its page. Http404 if the address has an unknown one."""
    if slug:
        raise Http404
    if not SchoolSystem.objects.exists():
        return render(request, "web/session/not_set_up.html")
    form = WhichSystemForm(form_data(request))
    if request.method == "POST" and form.is_valid():
        system = school_system_at(form.cleaned_data["slug"].strip().lower())
        if system is not None:
            return see_other(then, system.slug)
        form.add_error("slug", "No school system has this short name. Check the spelling.")
    return render(request, "web/session/which_system.html", {"form": form})


@require_GET
def stay(request: HttpRequest) -> HttpResponse:
    """Keep the session in use. Return the seconds until it ends, and the token for forms that were opened before."""
    if not isinstance(request.user, Account):
        return JsonResponse({"seconds": 0}, status=401)
    seconds = int((ends_at(request) - timezone.now()).total_seconds())
    return JsonResponse({"seconds": seconds, "token": get_token(request)})


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    slug = request.user.school_system.slug if isinstance(request.user, Account) else ""
    logout(request)
    return see_other("web:sign_in_at", slug) if slug else see_other("web:sign_in")
