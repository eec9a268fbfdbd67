-- PostgreSQL only: the table that the changes are loaded into, and the locks that one transaction needs there.

-- statement: forget_changes
DROP TABLE IF EXISTS run_change

-- statement: make_changes
CREATE TEMPORARY TABLE run_change (
  seq bigint PRIMARY KEY, line bigint, action text NOT NULL, account_id bigint, custom_id text NOT NULL,
  first_name text NOT NULL, middle_name text NOT NULL, last_name text NOT NULL, email text NOT NULL,
  school_district_external_id text NOT NULL, user_type text NOT NULL, position text NOT NULL, grade text NOT NULL,
  status text NOT NULL,
  seen_first_name text NOT NULL, seen_middle_name text NOT NULL, seen_last_name text NOT NULL,
  seen_email text NOT NULL, seen_custom_id text NOT NULL, seen_school_district_external_id text NOT NULL,
  seen_user_type text NOT NULL, seen_position text NOT NULL, seen_grade text NOT NULL, seen_status text NOT NULL,
  address text NOT NULL, seen_address text NOT NULL, password_hash text NOT NULL,
  "before" jsonb NOT NULL, "after" jsonb NOT NULL,
  org_id bigint
) ON COMMIT DROP

-- statement: copy_changes
COPY run_change (
  seq, line, action, account_id, custom_id,
  first_name, middle_name, last_name, email, school_district_external_id, user_type, position, grade, status,
  seen_first_name, seen_middle_name, seen_last_name, seen_email, seen_custom_id, seen_school_district_external_id,
  seen_user_type, seen_position, seen_grade, seen_status,
  address, seen_address, password_hash, "before", "after"
) FROM STDIN WITH (FORMAT csv, ENCODING 'UTF8')

-- statement: index_by_account
CREATE INDEX ON run_change (account_id)

-- statement: index_by_address
CREATE INDEX ON run_change (address)

-- statement: gather_statistics
ANALYZE run_change

-- statement: lock_accounts
SELECT count(*) FROM (
  SELECT a.id FROM accounts_account a
  WHERE a.id IN (SELECT c.account_id FROM run_change c)
  ORDER BY a.id FOR NO KEY UPDATE
) AS locked
