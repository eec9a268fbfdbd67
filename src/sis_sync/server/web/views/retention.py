"""Settings > How long data is kept: the form, and before it removes more than now, what it will remove."""

from dataclasses import asdict

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sis_sync.core.limits import Retention
from sis_sync.core.wording import counted
from sis_sync.server.audit.models import Purge
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.models import SchoolSystem
from sis_sync.server.orgs.retention import check_retention, is_shorter, retention_of, set_retention
from sis_sync.server.runs.purge.purge import preview
from sis_sync.server.runs.purge.removed import KINDS
from sis_sync.server.web.access import PageRequest, for_district_managers
from sis_sync.server.web.forms.orgs import RetentionForm
from sis_sync.server.web.render import flash, form_data, page, see_other


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
                return save(request, system, form.retention)
            removed = removed_words(system, form.retention)
        except ValuesRefused as error:
            form.add_refusal(error)
    last = Purge.objects.filter(ended_at__isnull=False).order_by("-pk").first()
    context = {"form": form, "is_review": is_review, "removed": removed, "last_purge": last}
    return page(request, "web/orgs/retention.html", context)


def save(request: PageRequest, system: SchoolSystem, wanted: Retention) -> HttpResponse:
    """Save the retention and return to the settings."""
    set_retention(school_system=system, retention=wanted, actor=request.user, now=timezone.now())
    flash(request, "Updated. The next purge, at night, keeps to it.")
    return see_other("web:settings")


def removed_words(system: SchoolSystem, wanted: Retention) -> list[str]:
    """Return what the next purge would remove, in words."""
    found = preview(school_system=system, retention=wanted, now=timezone.now())
    return [counted(count, *KINDS[kind]) for kind, count in found.items() if count]
