-- SQLite only: the tables for the changes, and its indexes. The transaction already has the only write lock.
-- Columns of addresses have no type: with one, SQLite would not use the index over lower(email).

-- statement: make_changes
CREATE TEMPORARY TABLE run_change (
  seq integer PRIMARY KEY, line integer, action text NOT NULL, account_id integer, custom_id text NOT NULL,
  first_name text NOT NULL, middle_name text NOT NULL, last_name text NOT NULL, email text NOT NULL,
  school_district_external_id text NOT NULL, user_type text NOT NULL, position text NOT NULL, grade text NOT NULL,
  status text NOT NULL,
  address NOT NULL, brings_password integer NOT NULL,
  "before" text NOT NULL, "after" text NOT NULL
)

-- statement: make_seen
CREATE TEMPORARY TABLE run_seen (
  account_id integer PRIMARY KEY,
  first_name text NOT NULL, middle_name text NOT NULL, last_name text NOT NULL, email text NOT NULL,
  custom_id text NOT NULL, school_district_external_id text NOT NULL, user_type text NOT NULL,
  position text NOT NULL, grade text NOT NULL, status text NOT NULL, address NOT NULL,
  is_held_by_hand integer NOT NULL
)

-- statement: make_orgs
CREATE TEMPORARY TABLE run_org AS
SELECT o.external_id, o.id AS org_id FROM orgs_org o
WHERE o.school_system_id = %(school_system)s AND o.external_id IS NOT NULL AND (%(whole)s = 1 OR o.id = %(scope)s)

-- statement: add_changes
INSERT INTO run_change VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)

-- statement: add_seen
INSERT INTO run_seen VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)

-- statement: index_by_account
CREATE INDEX run_change_account ON run_change (account_id) WHERE account_id IS NOT NULL

-- statement: make_newcomers
CREATE TEMPORARY TABLE run_newcomer (id integer PRIMARY KEY, line integer, brings_password integer NOT NULL)

-- statement: keep_history_of_written
-- The same as keep_history_of_newcomers in writes.sql, for accounts whose IDs are known.
INSERT INTO audit_accountchange (
  school_system_id, account_id, run_id, line, actor_id, action, "before", "after", changed_at
)
SELECT %(school_system)s, a.id, %(run)s, CASE WHEN %(has_file)s = 1 THEN n.line END, NULL, 'create', '{}',
  json_object('first_name', a.first_name, 'middle_name', a.middle_name, 'last_name', a.last_name, 'email', a.email,
    'custom_id', a.custom_id, 'school_district_external_id', o.external_id, 'user_type', a.user_type,
    'position', a.position, 'grade', a.grade, 'status', a.status),
  %(now)s
FROM run_newcomer n JOIN accounts_account a ON a.id = n.id JOIN orgs_org o ON o.id = a.org_id

-- statement: reserve_ids
-- The greatest ID that any account ever had. No one else can assign the next ones, because of the write lock.
SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'accounts_account'

-- statement: rows_there
SELECT max((SELECT count(*) FROM accounts_account), (SELECT count(*) FROM audit_accountchange))

-- statement: secondary_indexes
SELECT name, sql FROM sqlite_master
WHERE type = 'index' AND tbl_name IN ('accounts_account', 'audit_accountchange')
  AND sql LIKE 'CREATE INDEX %%' ORDER BY name
