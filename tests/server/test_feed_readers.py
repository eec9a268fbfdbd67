"""Readers of the change feed have the export, whoever edits: one at a time, or several whose transactions overlap."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from itertools import count
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit.feed import Reader, days_later, other_connection
from kit.plans import TIMES
from server.conftest import make_account

from sis_sync.server.accounts.feed import one_entry_for_all
from sis_sync.server.accounts.models import Account
from sis_sync.server.orgs.models import Org, Right

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.both_databases

SERIAL = count()  # for values that nobody has yet
EDITS: dict[str, str] = {
    "names": "UPDATE accounts_account SET last_name = %(text)s WHERE id %% 3 = %(n)s %% 3 AND {mine}",
    "nothing": "UPDATE accounts_account SET last_name = last_name, last_login = %(at)s WHERE {mine}",
    "leave": "UPDATE accounts_account SET deleted_at = %(at)s WHERE id %% 4 = %(n)s %% 4 AND {mine}",
    "return": "UPDATE accounts_account SET deleted_at = NULL WHERE {mine}",
    "remove": "DELETE FROM accounts_account WHERE id %% 5 = %(n)s %% 5 AND custom_id LIKE 'made%%' AND {mine}",
    "make": "INSERT INTO accounts_account (school_system_id, org_id, first_name, middle_name, last_name, email,"
    " custom_id, user_type, position, grade, status, password, is_protected, protected_reason, is_held_by_hand)"
    " SELECT school_system_id, org_id, first_name, middle_name, last_name, %(text)s || id, 'made' || %(text)s || id,"
    " user_type, '', '', 'Active', '!', FALSE, '', FALSE FROM accounts_account WHERE id %% 2 = %(n)s %% 2 AND {mine}"
    " ORDER BY id LIMIT 2",
}


def sql_edit(name: str, n: int, mark: str) -> tuple[str, dict[str, Any]]:
    """Return an edit of the accounts with this mark, which is in their middle names."""
    at = days_later(-n % 3).isoformat(" ")
    values = {"n": n, "text": f"t{next(SERIAL)}-", "mark": mark, "at": at}
    return EDITS[name].format(mine="middle_name = %(mark)s"), values


def toggle_right(north: Org, _south: Org, n: int) -> None:
    """Give somebody the right over the school, or take it."""
    person = Account.objects.filter(school_system=north.school_system).order_by("pk")[n % 3]
    if not Right.objects.filter(account=person).delete()[0]:
        Right.objects.create(account=person, org=north)


def move(north: Org, south: Org, n: int) -> None:
    """Let some change school."""
    org = (north, south)[n % 2]
    Account.objects.filter(school_system=north.school_system, pk__gt=n % 7).update(org=org)


def rename(_north: Org, south: Org, n: int) -> None:
    """Give a school another external ID."""
    Org.objects.filter(pk=south.pk).update(external_id=f"S{n % 4}")


def edit_in_bulk(north: Org, _south: Org, n: int) -> None:
    """Change some by the ORM."""
    some = list(Account.objects.filter(school_system=north.school_system).order_by("-pk")[: n % 4])
    for person in some:
        person.position, person.is_protected = f"Position {n}", n % 2 == 0
    Account.objects.bulk_update(some, ["position", "is_protected"])
    if n % 5 == 0 and some:
        some[0].status = "Disabled" if n % 2 else "Active"
        some[0].save()


def edit_all(north: Org, _south: Org, n: int) -> None:
    """Change everybody with one entry for all."""
    with one_entry_for_all(school_system_id=north.school_system_id):
        Account.objects.filter(school_system=north.school_system).update(grade=f"{n}")


ORM_EDITS: dict[str, Callable[[Org, Org, int], None]] = {
    "right": toggle_right,
    "move": move,
    "rename": rename,
    "bulk": edit_in_bulk,
    "all": edit_all,
}


def marked(org: Org, mark: str) -> list[Account]:
    """Four accounts with this mark."""
    return [
        make_account(org, "Pupil", f"{mark}{n}", f"{mark}-{n}", middle_name=mark, email=f"{mark}{n}@x.example")
        for n in range(4)
    ]


@BOTH
@settings(max_examples=15 * TIMES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    steps=st.lists(
        st.tuples(st.sampled_from([*EDITS, *ORM_EDITS, "begin", "undo", "keep", "read"]), st.integers(0, 60)),
        max_size=25,
    )
)
def test_reader_of_the_feed_has_the_export(north: Org, south: Org, steps: list[tuple[str, int]]) -> None:
    """Whatever is edited, kept or undone between two readings."""
    with transaction.atomic():
        marked(north, "a")
        reader = Reader(north)
        open_transactions: list[str] = []
        for name, n in steps:
            if name == "begin":
                open_transactions.append(transaction.savepoint())
            elif name in ("undo", "keep") and open_transactions:
                end = transaction.savepoint_rollback if name == "undo" else transaction.savepoint_commit
                end(open_transactions.pop())
            elif name == "read" and not open_transactions:
                reader.catch_up()
            elif name in ORM_EDITS:
                ORM_EDITS[name](north, south, n)
            elif name in EDITS:
                sql, values = sql_edit(name, n, "a")
                with connection.cursor() as cursor:
                    cursor.execute(sql, values)
        reader.catch_up()
        transaction.set_rollback(True)


@BOTH
@pytest.mark.django_db(transaction=True)
def test_transactions_that_overlap(north: Org) -> None:
    """Editors on connections of their own commit late, early or never, while the reader reads."""
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite, one writes at a time")
    marks = ("a", "b", "c")
    for mark in marks:
        marked(north, mark)
    step = st.tuples(
        st.sampled_from(marks), st.sampled_from([*EDITS, "commit", "rollback", "read"]), st.integers(0, 60)
    )

    @settings(max_examples=25 * TIMES, deadline=None)
    @given(st.lists(step, max_size=30))
    def try_schedule(steps: list[tuple[str, str, int]]) -> None:
        with ExitStack() as stack:
            editors = {mark: stack.enter_context(closing(other_connection())) for mark in marks}
            reader = Reader(north)
            for mark, name, n in steps:
                if name == "read":
                    reader.catch_up()
                elif name in ("commit", "rollback"):
                    getattr(editors[mark], name)()
                else:
                    editors[mark].execute(*sql_edit(name, n, mark))
            for mark in marks:
                editors[mark].commit()
                reader.catch_up()

    try_schedule()


@BOTH
@pytest.mark.django_db(transaction=True)
def test_late_commit_is_seen(north: Org) -> None:
    """The entry with the lower number is committed after the reader has read one with a higher number."""
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite, one writes at a time")
    early, late, *_ = marked(north, "a")
    with closing(other_connection()) as first, closing(other_connection()) as second:
        grade = "UPDATE accounts_account SET grade = '9' WHERE id = %s"
        first.execute(grade, [late.pk])
        second.execute(grade, [early.pk])
        second.commit()
        reader = Reader(north)
        first.commit()
        reader.catch_up()
