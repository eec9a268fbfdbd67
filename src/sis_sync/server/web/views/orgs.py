"""School or district > Settings."""

from django.db.models import Count, Q
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from sis_sync.core.wording import counted
from sis_sync.server.accounts.models import Account
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.models import Org
from sis_sync.server.orgs.retention import retention_of
from sis_sync.server.orgs.selectors import access_org, managed_orgs
from sis_sync.server.orgs.services import create_org, import_orgs, set_networks, update_org
from sis_sync.server.web.access import PageRequest, for_district_managers, for_managers
from sis_sync.server.web.forms.orgs import ImportOrgsForm, NetworksForm, OrgForm
from sis_sync.server.web.render import flash, form_data, form_files, page, see_other


@for_managers
@require_GET
def settings(request: PageRequest) -> HttpResponse:
    """The district and its schools, with their external IDs and numbers of people."""
    people = Count("accounts", filter=Q(accounts__deleted_at__isnull=True))
    orgs = list(managed_orgs(actor=request.user).annotate(people=people))
    context = {
        "orgs": orgs,
        "without_external_id": sum(not org.external_id for org in orgs),
        "retention": retention_of(request.user.school_system),
    }
    return page(request, "web/orgs/settings.html", context)


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
