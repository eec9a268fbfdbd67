"""The accounts app. After each migration it makes the triggers and the index with which the database does work itself.

The index has the words that a search for people finds, without case and accents. The database writes it for every
change of an account, by a page, a run or SQL. Django's migrations drop triggers of SQLite when they change a table, so
the index and the triggers of the feed (feed_triggers.py) are checked after each migration.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import AppConfig
from django.db import connection, connections, transaction
from django.db.models.signals import post_migrate, pre_migrate

from sis_sync.server.accounts.feed_triggers import drop_before_migrating, make_triggers

# What separates words. A typed text is split at the same characters.
SEPARATORS = " -'\u2019.@,;:_+/\\()[]\"“”&#"
# Letters that have no accent to remove, and what people type for them.
SINGLE_LETTERS = ("øØłŁđĐðÐı", "oollddddi")
DOUBLE_LETTERS = {"ß": "ss", "ẞ": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "þ": "th", "Þ": "th"}
ICU = 'COLLATE "und-x-icu"'  # with the collation C, lower() knows only ASCII
# A word of the ID without its zeros, because people type it so.
WORDS = (
    "{0}first_name || ' ' || {0}middle_name || ' ' || {0}last_name || ' ' || {0}email"
    " || coalesce(' ' || {0}custom_id || ' ' || ltrim({0}custom_id, '0'), '')"
)

POSTGRESQL = """
CREATE OR REPLACE FUNCTION account_words(first_name text, middle_name text, last_name text, email text, custom_id text)
RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 2000 AS $$
DECLARE
  words text := {words};
BEGIN
  IF octet_length(words) > length(words) THEN
    words := regexp_replace(normalize(words, NFKD), '[\\u0300-\\u036F]', '', 'g');
    words := lower({letters} {icu});
  END IF;
  RETURN array_to_tsvector(array_remove(string_to_array(translate(lower(words), {separators}, {spaces}), ' '), ''));
END $$;
CREATE INDEX account_search ON accounts_account USING gin
  (account_words(first_name, middle_name, last_name, email, custom_id)) WITH (gin_pending_list_limit = 16384);
"""
SQLITE = """
CREATE VIRTUAL TABLE IF NOT EXISTS account_search USING fts5(
  words, content = '', columnsize = 0, tokenize = "unicode61 remove_diacritics 2"
);
CREATE TRIGGER IF NOT EXISTS account_search_insert AFTER INSERT ON accounts_account BEGIN
  INSERT INTO account_search (rowid, words) VALUES (new.id, {new});
END;
CREATE TRIGGER IF NOT EXISTS account_search_delete AFTER DELETE ON accounts_account BEGIN
  INSERT INTO account_search (account_search, rowid, words) VALUES ('delete', old.id, {old});
END;
CREATE TRIGGER IF NOT EXISTS account_search_update
AFTER UPDATE OF first_name, middle_name, last_name, email, custom_id ON accounts_account
WHEN (old.first_name, old.middle_name, old.last_name, old.email, old.custom_id)
  IS NOT (new.first_name, new.middle_name, new.last_name, new.email, new.custom_id)
BEGIN
  INSERT INTO account_search (account_search, rowid, words) VALUES ('delete', old.id, {old});
  INSERT INTO account_search (rowid, words) VALUES (new.id, {new});
END;
"""
SQLITE_RELATION = "(SELECT name FROM sqlite_master WHERE name = '{}')"
# The OFFSET keeps SQLite from joining the words again wherever {plain} names them.
SQLITE_FILL = """
INSERT INTO account_search (rowid, words)
SELECT id, {plain} FROM (SELECT id, {words} AS words FROM accounts_account WHERE id > {after} LIMIT -1 OFFSET 0)
"""


class AccountsConfig(AppConfig):
    """The accounts app."""

    name = "sis_sync.server.accounts"

    def ready(self) -> None:
        """Make the index and the triggers of the change feed after each migration."""
        post_migrate.connect(make_search_index, sender=self, dispatch_uid="search_index")
        pre_migrate.connect(drop_before_migrating, sender=self, dispatch_uid="no_feed_triggers")
        post_migrate.connect(make_triggers, sender=self, dispatch_uid="feed_triggers")


def make_search_index(*, using: str = "default", **_others: Any) -> None:
    """Make what is missing of the index. Without the table of accounts, do nothing."""
    connection = connections[using]
    relation = "to_regclass('{}')" if connection.vendor == "postgresql" else SQLITE_RELATION
    with connection.cursor() as cursor:

        def exists(name: str) -> bool:
            cursor.execute(f"SELECT {relation.format(name)}")
            return cursor.fetchone()[0] is not None

        if not exists("accounts_account"):
            return
        is_new = not exists("account_search")
        if connection.vendor == "sqlite":
            for statement in sqlite_statements(is_new=is_new):
                cursor.execute(statement)
        elif is_new:
            cursor.execute(postgresql_statements(has_icu=exists_icu(cursor)))


@contextmanager
def without_trigger(name: str) -> Iterator[bool]:
    """Drop this trigger of SQLite during the block. Then make it again exactly as it was. Yield False if it is missing.

    If the block raises, the trigger is there again, and nothing that the block did.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = %s", [name])
        found = cursor.fetchone()
        if found is None:
            yield False
            return
        cursor.execute(f"DROP TRIGGER {name}")
        yield True
        cursor.execute(found[0])


def exists_icu(cursor: Any) -> bool:
    """Return True if PostgreSQL was built with ICU. Almost every build is."""
    cursor.execute("SELECT EXISTS (SELECT FROM pg_collation WHERE collname = 'und-x-icu')")
    return bool(cursor.fetchone()[0])


def postgresql_statements(*, has_icu: bool) -> str:
    """Return the function and the index. The cost keeps the planner from calling the function for every account."""
    return POSTGRESQL.format(
        words=WORDS.format(""),
        letters=f"translate({_doubled('words')}, {_quoted(SINGLE_LETTERS[0])}, {_quoted(SINGLE_LETTERS[1])})",
        icu=ICU if has_icu else "",
        separators=_quoted(SEPARATORS),
        spaces=_quoted(" " * len(SEPARATORS)),
    )


def sqlite_statements(*, is_new: bool) -> list[str]:
    """Return the table and its triggers, and what fills a new table. FTS5 removes case and accents itself."""
    old, new = (_plain(f"({WORDS.format(prefix)})") for prefix in ("old.", "new."))
    made = SQLITE.format(old=old, new=new)
    statements = [f"CREATE {statement}" for statement in made.split("CREATE ")[1:]]
    return [*statements, *([sqlite_fill(after=0)] if is_new else [])]


def sqlite_fill(*, after: int) -> str:
    """Return what adds the words of accounts with greater IDs than `after`."""
    return SQLITE_FILL.format(plain=_plain("words"), words=WORDS.format(""), after=after)


def _plain(words: str) -> str:
    """Return the SQL of these words with plain letters in place of those that have no accent to remove."""
    letters = _doubled(words)
    for letter, plain in zip(*SINGLE_LETTERS, strict=True):
        letters = f"replace({letters}, '{letter}', '{plain}')"
    return f"CASE WHEN length({words}) = length(CAST({words} AS BLOB)) THEN {words} ELSE {letters} END"


def _doubled(words: str) -> str:
    for letter, plain in DOUBLE_LETTERS.items():
        words = f"replace({words}, '{letter}', '{plain}')"
    return words


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
