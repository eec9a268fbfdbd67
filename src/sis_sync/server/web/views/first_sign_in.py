"""The first sign-in: the list of claim codes, the page that claims an account, and the choice of one's own password."""

import csv
import io
import re
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sis_sync.core.errors import SisSyncError
from sis_sync.core.formula_cells import FORMULA_START
from sis_sync.server.accounts.first_sign_in import MOST_SHEETS, Shown, claim_account, make_claim_codes, people_to_claim
from sis_sync.server.accounts.hashing import has_password
from sis_sync.server.accounts.services import set_password
from sis_sync.server.accounts.sign_in import place_of, school_system_at
from sis_sync.server.errors import NotNow, ValuesRefused
from sis_sync.server.lock_wait import refuse_if_locked
from sis_sync.server.orgs.models import SchoolSystem
from sis_sync.server.orgs.selectors import access_org, managed_orgs
from sis_sync.server.sessions import begin_session, keep_only_session
from sis_sync.server.web.access import PageRequest, for_managers, for_signed_in
from sis_sync.server.web.forms.first_sign_in import ChosenPasswordForm, ClaimCodesForm, ClaimForm
from sis_sync.server.web.key_shown_once import new_form_id, remember_submission, was_submitted
from sis_sync.server.web.render import flash, form_data, page, see_other, with_retry_after
from sis_sync.server.web.views.sign_in import next_address, which_system

CSV_COLUMNS = ("last_name", "first_name", "middle_name", "grade", "school", "id", "email", "code", "expires", "address")
FORMULA = re.compile(FORMULA_START)  # a spreadsheet would calculate it
NO_ONE = "No one here needs a code: everyone has a password, or a code that still works."
SHOWN_BEFORE = (
    "This list was shown already, and is stored nowhere. If you did not print it, choose “Also people who have a code "
    "already” and make a new one."
)
TOO_MANY_SHEETS = (
    "These are {people:,} people; a page has at most {most:,} sheets. No code was made. Choose fewer people, or "
    "download the codes of a school as a CSV under User Admin > Claim codes."
)
SAME_AS_GIVEN = "This is the password that you were given. Choose another one, which only you know."


@require_http_methods(["GET", "POST"])
def claim(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Take ID and code, set the password, and sign the person in."""
    system = school_system_at(slug)
    if system is None:
        return which_system(request, slug, then="web:claim_at")
    form = ClaimForm(form_data(request))
    if request.method == "POST" and form.is_valid():
        refuse_if_locked()  # before the password is hashed, which takes long
        try:
            account = claim_account(
                school_system=system, place=place_of(request), now=timezone.now(), **form.cleaned_data
            )
        except NotNow as error:
            form.add_refusal(error)
            return with_retry_after(claim_page(request, system, form), error)
        except SisSyncError as error:
            form.add_refusal(error)
        else:
            begin_session(request, account)
            flash(request, f"Your password is set. From now on, sign in with {account.email} and this password.")
            return see_other("web:home")
    return claim_page(request, system, form)


def claim_page(request: HttpRequest, system: SchoolSystem, form: ClaimForm) -> HttpResponse:
    """Return the page with the form as it is."""
    return render(request, "web/session/claim.html", {"form": form, "system": system})


@for_signed_in
@require_http_methods(["GET", "POST"])
def new_password(request: PageRequest) -> HttpResponse:
    """Let a person choose a new password, because someone else knows theirs. Until then, no other page opens."""
    if not request.user.must_change_password:
        return see_other("web:profile")
    form = ChosenPasswordForm(form_data(request))
    if request.method == "POST" and form.is_valid():
        try:
            choose_password(request, form.cleaned_data["password"])
        except NotNow as error:
            form.add_refusal(error)
            return with_retry_after(new_password_page(request, form), error)
        except ValuesRefused as error:
            form.add_refusal(error)
        else:
            flash(request, "Your password is set. Only you know it now.")
            response = see_other("web:home")
            response.headers["Location"] = next_address(request)
            return response
    return new_password_page(request, form)


def choose_password(request: PageRequest, password: str) -> None:
    """Set the password and keep this session. Raise ValuesRefused if it is the present one, or too weak."""
    if has_password(request.user, password):
        raise ValuesRefused({"password": SAME_AS_GIVEN})
    with transaction.atomic():
        account = set_password(account=request.user, password=password, actor=request.user, now=timezone.now())
        keep_only_session(request, account)


def new_password_page(request: PageRequest, form: ChosenPasswordForm) -> HttpResponse:
    """Return the page with the form as it is."""
    context = {"form": form, "next": request.GET.get("next") or request.POST.get("next") or ""}
    return page(request, "web/session/new_password.html", context)


@for_managers
@require_http_methods(["GET", "POST"])
def claim_codes(request: PageRequest) -> HttpResponse:
    """Make the claim codes of a school, and show or download them once."""
    form = ClaimCodesForm(
        form_data(request), initial={"org": request.GET.get("school", "")}, orgs=managed_orgs(actor=request.user)
    )
    if request.method == "POST" and form.is_valid():
        try:
            return made_codes(request, form)
        except SisSyncError as error:
            form.add_refusal(error)
    return page(request, "web/members/codes.html", {"form": form, "form_id": new_form_id()})


def made_codes(request: PageRequest, form: ClaimCodesForm) -> HttpResponse:
    """Return the list of new codes, as a page or as a CSV. Raise ValuesRefused if there is no one to make them for."""
    if was_submitted(request):
        raise ValuesRefused({"form_id": SHOWN_BEFORE})
    now, chosen = timezone.now(), form.cleaned_data
    people = people_to_claim(
        actor=request.user,
        org=access_org(actor=request.user, org_id=chosen["org"]),
        user_type=chosen["user_type"],
        grade=chosen["grade"],
        are_all=chosen["are_all"],
        now=now,
    )
    accounts = list(people)
    refuse_too_many_sheets(request, len(accounts))
    shown = make_claim_codes(accounts=accounts, valid_for=form.valid_for, actor=request.user, now=now)
    if not shown:
        raise ValuesRefused({"people": NO_ONE})
    remember_submission(request)
    return codes_answer(request, shown, expires_at=now + form.valid_for)


def refuse_too_many_sheets(request: HttpRequest, people: int) -> None:
    """Raise ValuesRefused if so many people need a file: a page that is shown once cannot be in parts."""
    if people > MOST_SHEETS and not asks_for_csv(request):
        raise ValuesRefused({"people": TOO_MANY_SHEETS.format(people=people, most=MOST_SHEETS)})


def asks_for_csv(request: HttpRequest) -> bool:
    """Return True if the form asks for a file, not for sheets to print."""
    return request.POST.get("as") == "csv"


def codes_answer(request: PageRequest, shown: Sequence[Shown], *, expires_at: datetime) -> HttpResponse:
    """Return the codes as a CSV if the form asks for one, otherwise as sheets to print."""
    address = request.build_absolute_uri(claim_address(request.user.school_system))
    if asks_for_csv(request):
        return codes_csv(shown, address, expires_at)
    context = {"shown": shown, "address": address, "expires_at": expires_at, "are_codes": True}
    return page(request, "web/members/shown_once.html", context)


def claim_address(system: SchoolSystem) -> str:
    """Return the path of the claim page, as short as it can be: a pupil types it."""
    is_only = school_system_at("") is not None
    return reverse("web:claim") if is_only else reverse("web:claim_at", args=[system.slug])


def codes_csv(shown: Sequence[Shown], address: str, expires_at: datetime) -> HttpResponse:
    """Return the codes as a file that a spreadsheet opens, without formulas."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(CSV_COLUMNS)
    for each in shown:
        person = each.account
        names = (person.last_name, person.first_name, person.middle_name, person.grade, person.org.name)
        ends = timezone.localtime(expires_at).date().isoformat()
        cells = (*names, person.custom_id or "", person.email, each.secret, ends, address)
        writer.writerow([f"'{cell}" if FORMULA.match(cell) else cell for cell in cells])
    response = HttpResponse(text.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="claim-codes.csv"'
    return response
