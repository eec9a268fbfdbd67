"""School or district > Settings."""

from collections.abc import Sequence
from dataclasses import asdict

from django.db.models import Count
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from sis_sync.core.limits import Retention
from sis_sync.core.wording import counted
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.models import Purge
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.models import Org, SchoolSystem
from sis_sync.server.orgs.retention import check_retention, is_shorter, retention_of, set_retention
from sis_sync.server.orgs.selectors import access_org, managed_orgs
from sis_sync.server.orgs.services import create_org, import_orgs, set_networks, set_own_names, update_org
from sis_sync.server.runs.purge.purge import preview
from sis_sync.server.runs.purge.removed import KINDS
from sis_sync.server.web.access import PageRequest, for_district_managers, for_managers
from sis_sync.server.web.forms.orgs import ImportOrgsForm, NetworksForm, OrgForm, OwnNamesForm, RetentionForm
from sis_sync.server.web.render import flash, form_data, form_files, page, paged, see_other

ORGS_OF_PAGE = 100
PEOPLE_OF_TYPE = {"Teacher": "teachers", "Staff": "staff", "Administrator": "administrators", "Student": "students"}


@for_managers
@require_GET
def settings(request: PageRequest) -> HttpResponse:
    """The district and its schools, with their external IDs and numbers of people, 100 per page."""
    orgs = managed_orgs(actor=request.user)
    shown = paged(request, orgs, size=ORGS_OF_PAGE)
    context = {
        "orgs": shown,
        "rows": with_people(list(shown)),
        "without_external_id": orgs.filter(external_id__isnull=True).count(),
        "retention": retention_of(request.user.school_system),
        "own_names": own_names_words(request.user.school_system),
    }
    return page(request, "web/orgs/settings.html", context)


def with_people(orgs: Sequence[Org]) -> list[tuple[Org, int]]:
    """Return each org with the number of its people who are not deleted."""
    people = Account.objects.filter(org__in=[org.pk for org in orgs], deleted_at__isnull=True)
    numbers = dict(people.order_by().values_list("org").annotate(number=Count("*")))
    return [(org, numbers.get(org.pk, 0)) for org in orgs]


@for_managers
@require_http_methods(["GET", "POST"])
def org_edit(request: PageRequest, org_id: int) -> HttpResponse:
    """Edit the name and external ID of an org, warning how many accounts a new external ID touches."""
    org = access_org(actor=request.user, org_id=org_id)
    form = OrgForm(form_data(request), initial={"name": org.name, "external_id": org.external_id or ""})
    before = org.external_id
    if request.method == "POST" and form.is_valid():
        try:
            update_org(
                org=org,
                name=form.cleaned_data["name"],
                external_id=form.cleaned_data["external_id"],
                actor=request.user,
                now=timezone.now(),
            )
        except ValuesRefused as error:
            form.add_refusal(error)
            org.refresh_from_db()
        else:
            flash(request, changed_words(org, before))
            return see_other("web:settings")
    context = {"org": org, "form": form, "people": managed_people(org)}
    return page(request, "web/orgs/edit.html", context)


def managed_people(org: Org) -> int:
    """Count the accounts that files find by this org's external ID."""
    return Account.objects.filter(org=org, custom_id__isnull=False, deleted_at__isnull=True).count()


def changed_words(org: Org, before: str | None) -> str:
    """Return what was updated, and how many accounts a new external ID touches."""
    if org.external_id == before:
        return f"{org.name} was updated."
    people = counted(managed_people(org), "account", "accounts")
    return (
        f"{org.name} was updated. Its external ID was {before or 'empty'} and is now {org.external_id or 'empty'}. "
        f"{people} of {org.name} will be found by the new one: files must use it from now on."
    )


@for_district_managers
@require_http_methods(["GET", "POST"])
def org_create(request: PageRequest) -> HttpResponse:
    """Add a school."""
    form = OrgForm(form_data(request))
    if request.method == "POST" and form.is_valid():
        try:
            org = create_org(
                school_system=request.user.school_system,
                kind=Org.Kind.SCHOOL,
                name=form.cleaned_data["name"],
                external_id=form.cleaned_data["external_id"],
                actor=request.user,
                now=timezone.now(),
            )
        except ValuesRefused as error:
            form.add_refusal(error)
        else:
            flash(request, f"{org.name} was added.")
            return see_other("web:settings")
    return page(request, "web/orgs/create.html", {"form": form})


@for_district_managers
@require_http_methods(["GET", "POST"])
def networks(request: PageRequest) -> HttpResponse:
    """Name the schools' own networks."""
    system = request.user.school_system
    form = NetworksForm(form_data(request), initial={"networks": "\n".join(system.networks)})
    if request.method == "POST" and form.is_valid():
        try:
            set_networks(
                school_system=system, text=form.cleaned_data["networks"], actor=request.user, now=timezone.now()
            )
        except ValuesRefused as error:
            form.add_refusal(error)
        else:
            flash(request, f"{counted(len(system.networks), 'network is', 'networks are')} named.")
            return see_other("web:settings")
    return page(request, "web/orgs/networks.html", {"form": form})


@for_district_managers
@require_http_methods(["GET", "POST"])
def own_names(request: PageRequest) -> HttpResponse:
    """Say which people may change the names that are shown of them."""
    system = request.user.school_system
    form = OwnNamesForm(form_data(request), initial={"user_types": system.change_own_names})
    if request.method == "POST" and form.is_valid():
        user_types = form.cleaned_data["user_types"]
        set_own_names(school_system=system, user_types=user_types, actor=request.user, now=timezone.now())
        flash(request, f"{own_names_words(system)} may change their own names.")
        return see_other("web:settings")
    return page(request, "web/orgs/own_names.html", {"form": form})


def own_names_words(system: SchoolSystem) -> str:
    """Return who may change their own names: Teachers and staff, or No one."""
    words = [PEOPLE_OF_TYPE[each] for each in system.change_own_names]
    listed = f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
    return listed.capitalize() or "No one"


@for_district_managers
@require_http_methods(["GET", "POST"])
def orgs_import(request: PageRequest) -> HttpResponse:
    """Import schools from a CSV file: all of its lines, or none."""
    form = ImportOrgsForm(form_data(request), form_files(request))
    if request.method == "POST" and form.is_valid():
        try:
            text = form.cleaned_data["file"].read().decode("utf-8-sig")
            done = import_orgs(
                school_system=request.user.school_system, text=text, actor=request.user, now=timezone.now()
            )
        except UnicodeDecodeError:
            form.add_error("file", "This file is not UTF-8 text. Save it as CSV UTF-8 and upload it again.")
        except ValuesRefused as error:
            form.add_refusal(error, "file")
        else:
            flash(
                request,
                f"{counted(done.created, 'school was', 'schools were')} added, {done.updated:,} updated, "
                f"{done.unchanged:,} unchanged.",
            )
            return see_other("web:settings")
    return page(request, "web/orgs/import.html", {"form": form})


@for_district_managers
@require_http_methods(["GET", "POST"])
def retention(request: PageRequest) -> HttpResponse:
    """Change how long data is kept. A shorter time is saved only after a page has shown what that removes."""
    system = request.user.school_system
    current = retention_of(system)
    form = RetentionForm(form_data(request), initial=asdict(current))
    removed: list[str] = []
    is_review = False
    if request.method == "POST" and form.is_valid():
        try:
            check_retention(form.retention)
            is_review = is_shorter(form.retention, than=current) and not form.cleaned_data["confirmed"]
            if not is_review:
                return save_retention(request, system, form.retention)
            removed = removed_words(system, form.retention)
        except ValuesRefused as error:
            form.add_refusal(error)
    last = Purge.objects.filter(ended_at__isnull=False).order_by("-pk").first()
    context = {"form": form, "is_review": is_review, "removed": removed, "last_purge": last}
    return page(request, "web/orgs/retention.html", context)


def save_retention(request: PageRequest, system: SchoolSystem, wanted: Retention) -> HttpResponse:
    """Save the retention and return to the settings."""
    set_retention(school_system=system, retention=wanted, actor=request.user, now=timezone.now())
    flash(request, "Updated. The next purge, at night, keeps to it.")
    return see_other("web:settings")


def removed_words(system: SchoolSystem, wanted: Retention) -> list[str]:
    """Return what the next purge would remove, in words."""
    found = preview(school_system=system, retention=wanted, now=timezone.now())
    return [counted(count, *KINDS[kind]) for kind, count in found.items() if count]
