"""Whether a plan changes people who manage more than its approver, as pages forbid by hand too."""

from sis_sync.engine.duckdb import open_session
from sis_sync.server.accounts.models import Account
from sis_sync.server.orgs.models import Right
from sis_sync.server.orgs.selectors import managed_orgs
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.storage import run_files

READING_MEMORY_MB = 256
CHANGED_AMONG = """
SELECT count(*) FROM read_parquet(:plan)
WHERE action IN ('update', 'restore', 'delete', 'disable') AND account_id IN :accounts
"""


def changes_greater_manager(*, run: Run, actor: Account) -> bool:
    """Whether the stored plan changes an account with a right over an org that the actor does not manage."""
    rights = Right.objects.filter(account__school_system=run.school_system_id)
    beyond = rights.exclude(org__in=managed_orgs(actor=actor)).values_list("account_id", flat=True)
    accounts = sorted({str(account_id) for account_id in beyond})
    plan = run_files(run).plan
    if not accounts or not plan.is_file():  # without its file the plan cannot be applied either
        return False
    with open_session(memory_limit_mb=READING_MEMORY_MB, threads=1) as session:
        return bool(session.value(CHANGED_AMONG, plan=str(plan), accounts=accounts))
