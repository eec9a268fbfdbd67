"""The audit log: what people and keys did."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.views.decorators.http import require_GET

from sis_sync.server.audit.models import AuditEntry
from sis_sync.server.web.access import PageRequest, for_district_managers
from sis_sync.server.web.render import page

PAGE_SIZE = 50


@for_district_managers
@require_GET
def audit_log(request: PageRequest) -> HttpResponse:
    """Everything recorded of the school system, newest first."""
    entries = AuditEntry.objects.filter(school_system_id=request.user.school_system_id)
    shown = Paginator(entries.select_related("actor", "api_key").order_by("-at", "-id"), PAGE_SIZE)
    return page(request, "web/audit.html", {"entries": shown.get_page(request.GET.get("page"))})
