"""The change feed names every account that anybody changed by any path, or says that all may have been."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, models, transaction
from django.db.models import F
from kit.feed import days_later
from kit.rosters import student, sync
from server.conftest import make_account

from sis_sync.core.errors import ConfigurationError
from sis_sync.engine.sql import sql_text
from sis_sync.server.accounts import feed
from sis_sync.server.accounts.feed import changes_since, one_entry_for_all, position_now
from sis_sync.server.accounts.feed_triggers import (
    WATCHED,
    are_triggers_there,
    drop_before_migrating,
    make_triggers,
)
from sis_sync.server.accounts.models import Account, FeedEntry
from sis_sync.server.orgs.models import Org, Right, SchoolSystem
from sis_sync.server.runs.purge.purge import purge, total
from sis_sync.server.serve.setup_commands import check_server

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.both_databases


def run_sql(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


@pytest.fixture
def people(north: Org) -> list[Account]:
    return [make_account(north, "Pupil", f"Number{n}", f"P-{n}") for n in range(4)]


def changed_by(org: Org, edit: Callable[[], Any]) -> set[int | None]:
    """Return the IDs of the new entries after the edit, None for one that stands for all.

    Fail if the feed does not name them. It may name more: a transaction of PostgreSQL that goes on is named as a whole.
    """
    before = position_now()
    edit()
    entries = FeedEntry.objects.filter(pk__gt=before.newest_id, school_system_id=org.school_system_id)
    found = set(entries.values_list("account_id", flat=True))
    changes = changes_since(before, school_system_id=org.school_system_id)
    assert found <= changes.account_ids or changes.reason == feed.ALL_AT_ONCE
    if connection.vendor == "sqlite":
        assert changes.account_ids == (set() if None in found else found)
    return found


def reason_after(org: Org, edit: Callable[[], Any]) -> str:
    """Return why the feed answers "all" after the edit, or an empty text."""
    before = position_now()
    edit()
    return changes_since(before, school_system_id=org.school_system_id).reason


def copy_in(org: Org, last_name: str) -> None:
    """Add an account by COPY; by INSERT..SELECT where there is none."""
    names = "school_system_id, org_id, first_name, middle_name, last_name, email, user_type, position, grade, status"
    flags = "password, is_protected, protected_reason, is_held_by_hand"
    values = (
        org.school_system_id,
        org.pk,
        "Copied",
        "",
        last_name,
        f"{last_name}@x.example",
        "Teacher",
        "",
        "",
        "Active",
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor, cursor.copy(f"COPY accounts_account ({names}, {flags}) FROM STDIN") as copy:
            copy.write_row((*values, "!", False, "", False))
        return
    places = ", ".join(["%s"] * len(values))
    run_sql(f"INSERT INTO accounts_account ({names}, {flags}) SELECT {places}, '!', FALSE, '', FALSE", *values)


@BOTH
def test_every_path_is_seen(people: list[Account], north: Org, south: Org) -> None:
    first, second, third, fourth = (each.pk for each in people)
    found = Account.objects.filter

    def save() -> None:
        people[0].grade = "7"
        people[0].save()

    def bulk_update() -> None:
        people[1].position, people[2].position = "Head", "Deputy"
        Account.objects.bulk_update(people[1:3], ["position"])

    assert changed_by(north, save) == {first}
    assert changed_by(north, bulk_update) == {second, third}
    assert changed_by(north, lambda: found(pk=second).update(edited_names={"first_name": "Al"})) == {second}
    assert changed_by(north, lambda: found(pk__lte=second, pk__gte=first).update(org=south)) == {first, second}
    assert changed_by(
        north, lambda: run_sql("UPDATE accounts_account SET email = 'x@x.example' WHERE id = %s", third)
    ) == {third}
    assert changed_by(north, lambda: found(pk=fourth).update(deleted_at="2026-09-01T00:00Z")) == {fourth}
    assert changed_by(north, lambda: Right.objects.create(account=people[0], org=north)) == {first}
    assert changed_by(north, lambda: Right.objects.update(account=people[1])) == {first, second}
    assert changed_by(north, lambda: Right.objects.all().delete()) == {second}
    assert changed_by(north, lambda: run_sql("DELETE FROM accounts_account WHERE id = %s", third)) == {third}
    assert changed_by(north, lambda: found(pk=fourth).delete()) == {fourth}
    assert changed_by(north, lambda: found(pk=first).update(id=first + 1_000_000)) == {first, first + 1_000_000}
    newcomers = changed_by(north, lambda: copy_in(north, "Copied"))
    assert newcomers == {Account.objects.get(last_name="Copied").pk}
    several = changed_by(north, lambda: [make_account(south, "New", f"Comer{n}", f"N-{n}") for n in range(3)])
    assert several == set(found(first_name="New").values_list("pk", flat=True))


@BOTH
def test_what_the_export_does_not_read_is_not_named(people: list[Account], north: Org, now: datetime) -> None:
    def edit() -> None:
        Account.objects.update(password="!x", last_login=now, protected_reason="why", updated_at=now)
        people[0].save()
        Account.objects.update(last_name=F("last_name"))
        Org.objects.update(name="Renamed")

    assert changed_by(north, edit) == set()


def test_columns_of_the_export_are_watched() -> None:
    sql = re.sub(r"^--.*$", "", sql_text("sis_sync.server.runs", "directory_accounts"), flags=re.MULTILINE)
    tables = {"a": "accounts_account", "r": "orgs_right", "o": "orgs_org", "m": "orgs_org"}
    read = {(tables[alias], column) for alias, column in re.findall(r"\b([arom])\.(\w+)", sql)}
    watched = {(table, column) for table, columns in WATCHED.items() for column in columns}
    assert ("accounts_account", "deleted_at") in read
    assert read <= watched, "add the column to the triggers: without it, plans compare with values of yesterday"
    assert set(re.findall(r"(?:FROM|JOIN) (\w+)", sql)) == set(WATCHED)


@BOTH
def test_orgs_change_all_of_their_school_system(
    people: list[Account], north: Org, charlie: Account, other_system: SchoolSystem
) -> None:
    def external_id() -> None:
        Org.objects.filter(pk=north.pk).update(external_id="N2")

    def move_away() -> None:
        Account.objects.filter(pk=people[0].pk).update(school_system=other_system)

    def move_back() -> None:
        Account.objects.filter(pk=people[0].pk).update(school_system=north.school_system)

    assert changed_by(north, external_id) == {None}
    assert changed_by(north, external_id) == set()  # it has that one now
    assert changed_by(north, lambda: Org.objects.update(name="Renamed")) == set()
    assert changed_by(north, move_away) == {people[0].pk}
    assert changed_by(charlie.org, move_back) == {people[0].pk}


@BOTH
def test_an_org_that_moves_or_goes_changes_all_accounts(
    north: Org, south: Org, charlie: Account, other_system: SchoolSystem
) -> None:
    def move_away() -> None:
        Org.objects.filter(pk=south.pk).update(school_system=other_system)

    def move_back() -> None:
        Org.objects.filter(pk=south.pk).update(school_system=north.school_system)

    assert changed_by(north, move_away) == {None}
    assert changed_by(charlie.org, move_back) == {None}
    connection.check_constraints()  # PostgreSQL removes no org while a check of its accounts is due
    assert changed_by(north, lambda: run_sql("DELETE FROM orgs_org WHERE id = %s", south.pk)) == {None}


@BOTH
def test_a_change_that_is_undone_is_not_named(people: list[Account], north: Org) -> None:
    def edit() -> None:
        sid = transaction.savepoint()
        Account.objects.update(grade="9")
        transaction.savepoint_rollback(sid)

    assert changed_by(north, edit) == set()


@BOTH
def test_many_changes_at_once_are_one_entry(people: list[Account], north: Org, charlie: Account) -> None:
    system_id = north.school_system_id

    def edit() -> None:
        with one_entry_for_all(school_system_id=system_id):
            Account.objects.update(grade=F("position"), position=F("grade"))

    Account.objects.update(grade="9")
    there = FeedEntry.objects.count()
    assert changed_by(north, edit) == {None}
    assert FeedEntry.objects.count() == there + 2
    assert changed_by(charlie.org, edit) == {charlie.pk}
    # From then on, accounts are named again.
    assert changed_by(north, lambda: Account.objects.filter(pk=people[0].pk).update(grade="")) == {people[0].pk}


@BOTH
def test_entry_for_all_never_outlives_its_changes(people: list[Account], north: Org) -> None:
    system_id = north.school_system_id
    there = FeedEntry.objects.count()

    def edit() -> None:
        with one_entry_for_all(school_system_id=system_id):
            Account.objects.update(grade="9")
            run_sql("SELECT nothing_of_this_name")

    with pytest.raises(DatabaseError):
        edit()
    assert FeedEntry.objects.count() == there
    assert not Account.objects.filter(grade="9").exists()
    # If someone leaves an entry open, nothing is known, however new the position is.
    FeedEntry.objects.create(school_system_id=system_id, is_open=True)
    assert reason_after(north, lambda: None) == feed.ALL_AT_ONCE


@BOTH
def test_run_over_everybody_writes_one_entry(
    district: Org, north: Org, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "FEW_CHANGES", 3)
    system_id = north.school_system_id

    def entries_of(*custom_ids: str, last_name: str) -> list[int | None]:
        before = FeedEntry.objects.order_by("-pk").values_list("pk", flat=True).first()
        rows = [student(custom_id, last_name) for custom_id in custom_ids]
        assert sync(district, *rows, now=now).state == "applied"
        entries = FeedEntry.objects.filter(pk__gt=before).exclude(school_system_id=None)
        assert set(entries.values_list("school_system_id", "is_open")) == {(system_id, False)}
        return list(entries.values_list("account_id", flat=True))

    everyone = [f"S-{n}" for n in range(6)]
    assert entries_of(*everyone, last_name="Okafor") == [None]
    some = Account.objects.filter(custom_id__in=everyone[:2]).values_list("pk", flat=True)
    assert sorted(filter(None, entries_of(*everyone[:2], last_name="Nwosu"))) == sorted(some)


@BOTH
def test_lost_triggers_are_noticed_and_made_again(people: list[Account], north: Org, caplog: Any) -> None:
    on = " ON accounts_account" if connection.vendor == "postgresql" else ""
    connection.check_constraints()  # PostgreSQL changes no table of which a check is due
    before = position_now()
    assert are_triggers_there()
    run_sql(f"DROP TRIGGER feed_account_update{on}")
    Account.objects.filter(pk=people[0].pk).update(grade="9")
    assert reason_after(north, lambda: None) == feed.NO_TRIGGERS
    assert "sis-sync server migrate" in caplog.text
    with pytest.raises(ConfigurationError, match="every plan reads all accounts"):
        list(check_server())
    connection.check_constraints()
    make_triggers()
    assert list(check_server())[-1] == "change feed: written by the database"
    assert changes_since(before, school_system_id=north.school_system_id).reason == feed.ALL_AT_ONCE
    assert changed_by(north, lambda: Account.objects.filter(pk=people[0].pk).update(grade="")) == {people[0].pk}


@BOTH
def test_every_trigger_is_looked_for(people: list[Account], north: Org) -> None:
    def names() -> list[tuple[str, str]]:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(
                    "SELECT tgname, CAST(CAST(tgrelid AS regclass) AS text) FROM pg_trigger WHERE tgname LIKE 'feed%'"
                )
            else:
                cursor.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'feed%'")
            return list(cursor.fetchall())

    connection.check_constraints()
    assert len(names()) == 11
    for number, (name, table) in enumerate(names()):
        if connection.vendor == "postgresql":
            spoilt = [
                f"DROP TRIGGER {name} ON {table}",
                f"ALTER TABLE {table} DISABLE TRIGGER {name}",
                f"ALTER TABLE {table} ENABLE TRIGGER {name}",
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
                " SET search_path = public, pg_temp AS 'BEGIN RETURN NULL; END'",
                f"ALTER FUNCTION {name}() SECURITY INVOKER",
                f"ALTER FUNCTION {name}() RESET ALL",
            ]
        else:
            spoilt = [f"DROP TRIGGER {name}"]
        sql = spoilt[number % len(spoilt)]
        run_sql(sql)
        assert not are_triggers_there(), sql
        make_triggers()
        assert are_triggers_there(), sql


@BOTH
@pytest.mark.django_db(transaction=True)
def test_migrations_leave_triggers(north: Org) -> None:
    before = position_now()
    call_command("migrate", "accounts", "0007", verbosity=0)
    assert "accounts_feedentry" not in connection.introspection.table_names()
    person = make_account(north, "Without", "Feed", "X-1")
    call_command("migrate", verbosity=0)
    assert are_triggers_there()
    assert changes_since(before, school_system_id=north.school_system_id).are_unknown
    assert changed_by(north, lambda: Account.objects.filter(pk=person.pk).update(grade="9")) == {person.pk}


@pytest.mark.django_db(transaction=True)
def test_table_that_django_makes_anew(north: Org) -> None:
    """On SQLite, its triggers are lost without a word. Beside those of other tables, it could not be made."""
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite makes tables anew")
    drop_before_migrating(plan=[])
    assert are_triggers_there()
    drop_before_migrating(plan=["a migration"])
    before = position_now()
    narrow, wide = Account._meta.get_field("grade"), models.CharField(max_length=99, null=True)
    wide.set_attributes_from_name("grade")
    with connection.schema_editor() as editor:
        editor.alter_field(Account, narrow, wide)
        editor.alter_field(Account, wide, narrow)
    person = make_account(north, "Without", "Feed", "X-1")
    assert reason_after(north, lambda: None) == feed.NO_TRIGGERS
    make_triggers()
    assert changes_since(before, school_system_id=north.school_system_id).reason == feed.ALL_AT_ONCE
    assert changed_by(north, lambda: Account.objects.filter(pk=person.pk).update(grade="9")) == {person.pk}


@BOTH
def test_restored_database_is_noticed(people: list[Account], north: Org) -> None:
    """A backup that lacks the newest entry, whether or not others were written since in its place."""

    def grade(value: str) -> None:
        Account.objects.filter(pk=people[0].pk).update(grade=value)

    sid = transaction.savepoint()
    grade("7")
    position = position_now()
    transaction.savepoint_rollback(sid)
    assert changes_since(position, school_system_id=north.school_system_id).reason == feed.TOO_OLD
    time.sleep(0.002)  # no backup is restored in the millisecond in which its database went on
    while position_now().newest_id < position.newest_id + 2:
        grade("8")
        grade("9")
        assert changes_since(position, school_system_id=north.school_system_id).reason == feed.TOO_OLD
    elsewhere = replace(position_now(), place="another")
    assert changes_since(elsewhere, school_system_id=north.school_system_id).reason == feed.OTHER_DATABASE


@BOTH
def test_emptied_tables_are_noticed(people: list[Account], north: Org) -> None:
    connection.check_constraints()
    if connection.vendor == "postgresql":
        assert reason_after(north, lambda: run_sql("TRUNCATE orgs_right")) == feed.ALL_AT_ONCE
        assert reason_after(north, lambda: run_sql("TRUNCATE accounts_account CASCADE")) == feed.OTHER_DATABASE
        run_sql("TRUNCATE accounts_feedentry")
    else:
        FeedEntry.objects.all().delete()
    assert reason_after(north, lambda: None) == feed.TOO_OLD
    make_triggers()
    assert reason_after(north, lambda: None) != feed.TOO_OLD


def test_entries_of_another_server_are_ignored(people: list[Account], north: Org) -> None:
    """A restored dump has entries of transactions that this server has not reached."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no numbers of transactions")
    before, system_id = position_now(), north.school_system_id
    FeedEntry.objects.create(transaction_id=2**60, school_system_id=system_id, account_id=10**9)
    assert 10**9 not in changes_since(before, school_system_id=system_id).account_ids


@BOTH
def test_entries_are_kept_for_a_month(people: list[Account], north: Org) -> None:
    system_id = north.school_system_id
    FeedEntry.objects.update(written_at=days_later(-50))
    long_ago = position_now()
    Account.objects.update(grade="7")
    FeedEntry.objects.filter(pk__gt=long_ago.newest_id).update(written_at=days_later(-40))
    quiet = position_now()
    Account.objects.filter(pk=people[0].pk).update(grade="8")
    assert changes_since(long_ago, school_system_id=system_id).account_ids == {each.pk for each in people}
    removed = total(purge(now=days_later(0)))
    assert removed["feed_entries"] > 3
    assert changes_since(long_ago, school_system_id=system_id).reason == feed.TOO_OLD
    # Nothing happened for 40 days: this position is as good as new.
    assert people[0].pk in changes_since(quiet, school_system_id=system_id).account_ids
    assert total(purge(now=days_later(30)))["feed_entries"] == 0
    assert total(purge(now=days_later(32)))["feed_entries"] == 1
