-- PostgreSQL only: the tables for the changes, the locks that the transaction needs, and statistics.

-- statement: make_changes
CREATE TEMPORARY TABLE run_change (
  seq bigint, line bigint, action text NOT NULL, account_id bigint, custom_id text NOT NULL,
  first_name text NOT NULL, middle_name text NOT NULL, last_name text NOT NULL, email text NOT NULL,
  school_district_external_id text NOT NULL, user_type text NOT NULL, position text NOT NULL, grade text NOT NULL,
  status text NOT NULL,
  address text NOT NULL, brings_password boolean NOT NULL,
  "before" jsonb NOT NULL, "after" jsonb NOT NULL
) ON COMMIT DROP

-- statement: make_seen
CREATE TEMPORARY TABLE run_seen (
  account_id bigint PRIMARY KEY,
  first_name text NOT NULL, middle_name text NOT NULL, last_name text NOT NULL, email text NOT NULL,
  custom_id text NOT NULL, school_district_external_id text NOT NULL, user_type text NOT NULL,
  position text NOT NULL, grade text NOT NULL, status text NOT NULL, address text NOT NULL,
  is_held_by_hand boolean NOT NULL
) ON COMMIT DROP

-- statement: make_orgs
CREATE TEMPORARY TABLE run_org ON COMMIT DROP AS
SELECT o.external_id, o.id AS org_id FROM orgs_org o
WHERE o.school_system_id = %(school_system)s AND o.external_id IS NOT NULL AND (%(whole)s = 1 OR o.id = %(scope)s)

-- statement: copy_changes
COPY run_change (
  seq, line, action, account_id, custom_id,
  first_name, middle_name, last_name, email, school_district_external_id, user_type, position, grade, status,
  address, brings_password, "before", "after"
) FROM STDIN WITH (FORMAT csv, ENCODING 'UTF8')

-- statement: copy_seen
COPY run_seen FROM STDIN WITH (FORMAT csv, ENCODING 'UTF8')

-- statement: index_by_account
CREATE INDEX ON run_change (account_id) WHERE account_id IS NOT NULL

-- statement: gather_statistics
-- Only for columns in joins and conditions: analysing the JSON of the history would take most of the time.
ANALYZE run_change (action, account_id, custom_id, address, school_district_external_id),
  run_seen (account_id, address), run_org

-- statement: lock_accounts
SELECT count(*) FROM (
  SELECT a.id FROM accounts_account a
  WHERE a.id IN (SELECT c.account_id FROM run_change c)
  ORDER BY a.id FOR NO KEY UPDATE
) AS locked

-- statement: known_accounts
-- The number of accounts by the statistics, -1 if there are none yet.
SELECT reltuples::bigint FROM pg_class WHERE oid = 'accounts_account'::regclass

-- statement: renew_statistics
ANALYZE accounts_account, audit_accountchange

-- statement: make_newcomers
CREATE TEMPORARY TABLE run_newcomer (id bigint PRIMARY KEY, line bigint, brings_password boolean NOT NULL)
ON COMMIT DROP

-- statement: keep_history_of_written
-- The same as keep_history_of_newcomers in writes.sql, for accounts whose IDs are known.
INSERT INTO audit_accountchange (
  school_system_id, account_id, run_id, line, actor_id, action, "before", "after", changed_at
)
SELECT %(school_system)s, a.id, %(run)s, CASE WHEN %(has_file)s = 1 THEN n.line END, NULL, 'create', '{}',
  jsonb_build_object('first_name', a.first_name, 'middle_name', a.middle_name, 'last_name', a.last_name,
    'email', a.email, 'custom_id', a.custom_id, 'school_district_external_id', o.external_id, 'user_type', a.user_type,
    'position', a.position, 'grade', a.grade, 'status', a.status),
  %(now)s
FROM run_newcomer n JOIN accounts_account a ON a.id = n.id JOIN orgs_org o ON o.id = a.org_id

-- statement: reserve_ids
-- Reserve IDs for the new accounts. Return the ID before the first one, or -1 if the reserved IDs have gaps.
SELECT CASE WHEN max(id) - min(id) + 1 = %(number)s THEN min(id) - 1 ELSE -1 END
FROM (SELECT nextval(pg_get_serial_sequence('accounts_account', 'id')) AS id
      FROM generate_series(1, %(number)s)) AS reserved
