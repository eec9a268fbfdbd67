"""The audit log: the actions of people and keys."""

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from sis_sync.server.audit.models import AuditEntry
from sis_sync.server.web.access import PageRequest, for_district_managers
from sis_sync.server.web.render import page, paged


@for_district_managers
@require_GET
def audit_log(request: PageRequest) -> HttpResponse:
    """Show all entries of the school system, newest first."""
    entries = AuditEntry.objects.filter(school_system_id=request.user.school_system_id)
    newest_first = entries.select_related("actor", "api_key").order_by("-at", "-id")
    return page(request, "web/audit.html", {"entries": paged(request, newest_first)})
