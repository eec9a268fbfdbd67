"""The triggers that write the change feed: makes them, drops them, and compares them with what they should be.

They watch accounts, and the columns of rights and orgs that the export of the accounts reads. SQLite silently drops
triggers when a migration rebuilds a table, so the server checks for them before every use of the feed.
"""

from collections.abc import Iterable
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

# The columns that runs/directory_accounts.sql reads for an account, with its school system and ID.
WATCHED: dict[str, tuple[str, ...]] = {
    "accounts_account": (
        "id",
        "school_system_id",
        "org_id",
        "first_name",
        "middle_name",
        "last_name",
        "email",
        "custom_id",
        "user_type",
        "position",
        "grade",
        "status",
        "is_protected",
        "is_held_by_hand",
        "deleted_at",
        "edited_names",
    ),
    "orgs_right": ("id", "account_id", "org_id"),
    "orgs_org": ("id", "school_system_id", "kind", "external_id"),
}
FEED = "accounts_feedentry"
# A new org has no accounts yet.
WATCHED_EVENTS = [
    (table, event)
    for table in WATCHED
    for event in ("insert", "update", "delete")
    if (table, event) != ("orgs_org", "insert")
]
SQLITE_EVENTS = [*WATCHED_EVENTS, *((table, "move") for table in WATCHED)]
POSTGRESQL_EVENTS = [*WATCHED_EVENTS, *((table, "truncate") for table in WATCHED)]

# Table: the entry for one of its rows, which is {0}.
SQLITE_ENTRY = {
    "accounts_account": "VALUES ({0}.school_system_id, {0}.id)",
    "orgs_right": "SELECT a.school_system_id, a.id FROM accounts_account a WHERE a.id = {0}.account_id",
    "orgs_org": "VALUES ({0}.school_system_id, NULL)",
}
# While an entry for the whole school system is open, its accounts get none. This is a condition of the trigger, because
# as a condition of the INSERT it would take SQLite three times as long.
SQLITE_IS_NOT_COVERED = (
    f"NOT EXISTS (SELECT 1 FROM {FEED} e WHERE e.is_open AND e.school_system_id = {{0}}.school_system_id)"
)
# The columns that an entry is made from. If an update changes one of them, a second trigger writes an entry for the old
# row too. One trigger for both would take twice as long.
SQLITE_KEYS = {
    "accounts_account": ("id", "school_system_id"),
    "orgs_right": ("account_id",),
    "orgs_org": ("school_system_id",),
}
SQLITE_DIFFERS = "({old}) IS NOT ({new})"

# The same for the rows that a statement changed, as they were and as they are.
POSTGRESQL_ENTRIES = {
    "accounts_account": """SELECT DISTINCT c.school_system_id, c.id FROM changed c WHERE NOT EXISTS (
    SELECT FROM accounts_feedentry e
    WHERE e.is_open AND e.school_system_id = c.school_system_id AND e.transaction_id = own)""",
    "orgs_right": """SELECT a.school_system_id, a.id FROM accounts_account a
    WHERE a.id IN (SELECT c.account_id FROM changed c)""",
    "orgs_org": "SELECT DISTINCT c.school_system_id, CAST(NULL AS bigint) FROM changed c",
}
POSTGRESQL_CHANGED = {
    "insert": "SELECT * FROM new_rows",
    "update": """SELECT c.* FROM old_rows o FULL JOIN new_rows n ON n.id = o.id
    CROSS JOIN LATERAL (VALUES ({old}), ({new})) AS c ({columns})
    WHERE ({old}) IS DISTINCT FROM ({new}) AND c.id IS NOT NULL""",
    "delete": "SELECT * FROM old_rows",
}
POSTGRESQL_INSERT = """
DECLARE
  own bigint := {transaction};
BEGIN
  WITH changed AS ({changed})
  INSERT INTO accounts_feedentry (school_system_id, account_id, transaction_id)
  SELECT found.*, own FROM ({entries}) AS found;
  RETURN NULL;
END
"""
# TRUNCATE does not say whose rows the table had.
POSTGRESQL_TRUNCATED = """
BEGIN
  INSERT INTO accounts_feedentry (transaction_id) VALUES ({transaction});
  RETURN NULL;
END
"""
# How PostgreSQL's catalog writes the event of a trigger that fires after a statement.
TRIGGER_TYPE = {"insert": 4, "delete": 8, "update": 16, "truncate": 32}
OLD_AND_NEW = {"insert": (None, "new_rows"), "update": ("old_rows", "new_rows"), "delete": ("old_rows", None)}
FIRES_ALWAYS = "A"  # also in a session that replicates
OWN_TRANSACTION = {"postgresql": "CAST(CAST(pg_current_xact_id() AS text) AS bigint)", "sqlite": "0"}

FOUND_ON_POSTGRESQL = """
SELECT t.tgname, c.relname, t.tgtype, CAST(t.tgenabled AS text), t.tgoldtable, t.tgnewtable,
  CAST(t.tgattr AS text) = '' AND t.tgqual IS NULL, p.prosrc, p.prosecdef, array_to_string(p.proconfig, ';')
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
WHERE t.tgname LIKE 'feed%'
  AND c.oid IN (to_regclass('accounts_account'), to_regclass('orgs_right'), to_regclass('orgs_org'))
"""
FOUND_ON_SQLITE = "SELECT name, sql, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'feed%'"

Found = dict[str, tuple[Any, ...]]


def are_triggers_there(*, using: str = DEFAULT_DB_ALIAS) -> bool:
    """True if every trigger is in the database exactly as this version of the server makes it, and is enabled."""
    connection = connections[using]
    return _found(connection) == _expected(connection)


def make_triggers(*, using: str = DEFAULT_DB_ALIAS, **_others: Any) -> None:
    """Make the triggers, unless all are there as they should be. Without the tables, do nothing.

    Changes made without them are unknown, so write an entry that covers all accounts.
    """
    connection = connections[using]
    if not {FEED, *WATCHED} <= set(connection.introspection.table_names()):
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {FEED})")
        has_entries = cursor.fetchone()[0]  # positions need one, but someone may have emptied the table
    if has_entries and are_triggers_there(using=using):
        return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        drop_triggers(using=using)
        for statement in _statements(connection):
            cursor.execute(statement)
        cursor.execute(f"INSERT INTO {FEED} (transaction_id) VALUES ({OWN_TRANSACTION[connection.vendor]})")


def drop_before_migrating(*, using: str = DEFAULT_DB_ALIAS, plan: list[Any], **_others: Any) -> None:
    """Drop the triggers before a migration, because SQLite cannot rename a table that a trigger names."""
    if plan:
        drop_triggers(using=using)


def drop_triggers(*, using: str = DEFAULT_DB_ALIAS) -> None:
    """Drop the triggers that are there, whatever they look like."""
    connection = connections[using]
    found = _found(connection)
    with connection.cursor() as cursor:
        for name in found:
            on = f" ON {found[name][0]}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER {name}{on}")


def _found(connection: BaseDatabaseWrapper) -> Found:
    """Return the triggers that are in the database, by name."""
    with connection.cursor() as cursor:
        cursor.execute(FOUND_ON_POSTGRESQL if connection.vendor == "postgresql" else FOUND_ON_SQLITE)
        return {name: tuple(rest) for name, *rest in cursor.fetchall()}


def _expected(connection: BaseDatabaseWrapper) -> Found:
    """Return the triggers that should be in the database, in the form of `_found`."""
    if connection.vendor == "sqlite":
        return {trigger_name(*watched): (_sqlite_trigger(*watched), watched[0]) for watched in SQLITE_EVENTS}
    expected: Found = {}
    for table, event in POSTGRESQL_EVENTS:
        old, new = OLD_AND_NEW.get(event, (None, None))
        function = (_postgresql_function(table, event), True, f"search_path={_own_path(connection)}")
        expected[trigger_name(table, event)] = (table, TRIGGER_TYPE[event], FIRES_ALWAYS, old, new, True, *function)
    return expected


def _statements(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the statements that make the triggers."""
    if connection.vendor == "sqlite":
        return [_sqlite_trigger(*watched) for watched in SQLITE_EVENTS]
    made = [f"CREATE INDEX IF NOT EXISTS feed_entry_by_transaction ON {FEED} USING brin (transaction_id)"]
    for table, event in POSTGRESQL_EVENTS:
        name, (old, new) = trigger_name(table, event), OLD_AND_NEW.get(event, (None, None))
        rows = " ".join(f"{kind} TABLE AS {rows}" for kind, rows in (("OLD", old), ("NEW", new)) if rows)
        made += [
            # SECURITY DEFINER: a role that may change accounts needs no rights over the feed.
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
            f" SET search_path = {_own_path(connection)} AS $feed${_postgresql_function(table, event)}$feed$",
            f"CREATE TRIGGER {name} AFTER {event} ON {table} {f'REFERENCING {rows}' if rows else ''}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {name}()",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}",
        ]
    return made


def _own_path(connection: BaseDatabaseWrapper) -> str:
    """Return the search path of the functions: our schema first, so that no temporary table can hide ours."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_schema())")
        return f"{cursor.fetchone()[0]}, pg_temp"


def _sqlite_trigger(table: str, event: str) -> str:
    """Return the trigger for one event. An update fires it if a watched column changes, a move if a key column does."""
    row = "new" if event in ("insert", "update") else "old"
    columns = {"update": WATCHED[table], "move": SQLITE_KEYS[table]}.get(event)
    conditions = [SQLITE_DIFFERS.format(**_both(columns, "old", "new"))] if columns else []
    if table == "accounts_account":
        conditions.append(SQLITE_IS_NOT_COVERED.format(row))
    when = f"\nWHEN {' AND '.join(conditions)}" if conditions else ""
    return (
        f"CREATE TRIGGER {trigger_name(table, event)} AFTER {'UPDATE' if columns else event.upper()} ON {table}{when}\n"
        f"BEGIN\n  INSERT INTO {FEED} (school_system_id, account_id) {SQLITE_ENTRY[table].format(row)};\nEND"
    )


def _postgresql_function(table: str, event: str) -> str:
    """Return the body of the function that the trigger calls."""
    own = OWN_TRANSACTION["postgresql"]
    if event == "truncate":
        return POSTGRESQL_TRUNCATED.format(transaction=own)
    columns = WATCHED[table]
    changed = POSTGRESQL_CHANGED[event].format(columns=", ".join(columns), **_both(columns, "o", "n"))
    return POSTGRESQL_INSERT.format(transaction=own, changed=changed, entries=POSTGRESQL_ENTRIES[table])


def _both(columns: Iterable[str], old: str, new: str) -> dict[str, str]:
    """Return the columns of both rows of an update, each as a list."""
    return {name: ", ".join(f"{row}.{column}" for column in columns) for name, row in (("old", old), ("new", new))}


def trigger_name(table: str, event: str) -> str:
    """Return the name of the trigger for this event of a table."""
    return f"feed_{table.partition('_')[2]}_{event}"
