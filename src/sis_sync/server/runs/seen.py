"""What the plan saw of each account that it changes, exactly as the database had it.

The plan itself holds cleaned values (trimmed, normalised); whether an account changed since is asked of the raw ones.
"""

from pathlib import Path

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.engine.duckdb import Session


def write_seen_accounts(session: Session, *, accounts: Path, plan: Path, target: Path) -> None:
    """Write a Parquet of account_id and the ten fields for the accounts in the plan that change.

    `accounts` is the exported directory file, whose every cell is quoted.
    """
    with accounts.open(encoding="utf-8") as file:
        header = file.readline().strip().replace('"', "").split(",")
    session.run(
        f"""
        COPY (
          SELECT account_id, {", ".join(FIELD_NAMES)}
          FROM read_csv(:accounts, auto_detect=false, header=false, skip=1, delim=',', quote='"', escape='"',
                        columns={{{", ".join(f"'{name}': 'VARCHAR'" for name in header)}}}, force_not_null={header})
          WHERE account_id IN (
            SELECT account_id FROM read_parquet(:plan) WHERE action IN ('update', 'restore', 'delete', 'disable'))
          ORDER BY account_id
        ) TO :target (FORMAT parquet)
        """,
        accounts=str(accounts),
        plan=str(plan),
        target=str(target),
    )
