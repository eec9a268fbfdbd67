"""Finds people by the words of their name, address and ID: in any order, by their beginnings, without case and accents.

The index is made in apps.py.
"""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.models import BooleanField, F, Func, QuerySet, Value
from django.db.models.expressions import RawSQL

from sis_sync.engine.text_functions import WHITE_SPACE
from sis_sync.server.accounts.apps import DOUBLE_LETTERS, SEPARATORS, SINGLE_LETTERS, sqlite_fill, without_trigger
from sis_sync.server.accounts.models import Account
from sis_sync.server.text import has_controls, tidy

SEARCHED = ("first_name", "middle_name", "last_name", "email", "custom_id")
MOST_LISTED = 1_000  # people; nobody reads on to the last of so many
LONGEST_WORD_BYTES = 2046  # of PostgreSQL; one character may become several letters: ㌖ is searched as six
ACCENTS = re.compile("[\u0300-\u036f]")
_BETWEEN_WORDS = re.compile(f"[{re.escape(SEPARATORS)}]+")
_LETTERS = str.maketrans(dict(zip(*SINGLE_LETTERS, strict=True)) | DOUBLE_LETTERS)


def with_words(accounts: QuerySet[Account], text: str) -> QuerySet[Account]:
    """Return those accounts in which every word of the text begins a word. An address must be there as typed.

    If more than MOST_LISTED fit, return one more than that: any of them. Filter `accounts` first.
    """
    if not tidy(text):
        return accounts
    words = words_of(text)
    if not words or has_controls(text) or any(len(word.encode()) > LONGEST_WORD_BYTES for word in words):
        return accounts.none()
    for part in map(tidy, text.split()):
        if "@" in part:
            accounts = accounts.filter(email__icontains=part)
    if connection.vendor == "postgresql":
        # The same expression as that of the index, so that the index answers.
        indexed = Func(*(F(name) for name in SEARCHED), function="account_words")
        query = Value(" & ".join(f"'{word}':*" for word in words))
        template = "(%(expressions)s::tsquery)"
        is_match = Func(indexed, query, template=template, arg_joiner=" @@ ", output_field=BooleanField())
        found = accounts.filter(is_match)
    else:
        match = " ".join(f'"{word}"*' for word in words)
        rows = RawSQL("SELECT rowid FROM account_search WHERE account_search MATCH %s", [match])
        found = accounts.filter(pk__in=rows)
    # Ask without an order first: with one, the planner walks through all names until 50 people fit, which takes seconds
    # if a million come before the first of them.
    some = list(found.order_by().values_list("pk", flat=True)[: MOST_LISTED + 1])
    # One array: PostgreSQL plans a list of a thousand numbers for longer than it reads the accounts.
    is_array = connection.vendor == "postgresql"
    return accounts.filter(pk__in=RawSQL("SELECT unnest(%s::bigint[])", [some]) if is_array else some)


def words_of(text: str) -> list[str]:
    """Return the words as the index has them. Moreno, Alice and ALICE moreno have the same ones."""
    plain = ACCENTS.sub("", unicodedata.normalize("NFKD", text)).translate(_LETTERS).lower()
    words = (word.strip(WHITE_SPACE) for word in _BETWEEN_WORDS.split(plain))
    return [word for word in words if word.strip()]


@contextmanager
def words_added_afterwards(*, after: int) -> Iterator[None]:
    """Add the words of accounts that the block inserts, with greater IDs than `after`, when all are there.

    SQLite would write its index after every single account, which takes ten times as long. PostgreSQL does not.
    """
    if connection.vendor != "sqlite":
        yield
        return
    with without_trigger("account_search_insert") as has_index:
        yield
        if has_index:
            with connection.cursor() as cursor:
                cursor.execute(sqlite_fill(after=after))


def drop_removed_words() -> None:
    """Write the index of SQLite without the words of removed accounts: until then they are only marked as removed."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO account_search (account_search) VALUES ('optimize')")
