-- SQLite only: the table that the changes are loaded into. The transaction holds the one write lock already.
-- Addresses have no type, or SQLite would not look them up in the index over lower(email).

-- statement: forget_changes
DROP TABLE IF EXISTS run_change

-- statement: make_changes
CREATE TEMPORARY TABLE run_change (
  seq integer PRIMARY KEY, line integer, action text NOT NULL, account_id integer, custom_id text NOT NULL,
  first_name text NOT NULL, middle_name text NOT NULL, last_name text NOT NULL, email text NOT NULL,
  school_district_external_id text NOT NULL, user_type text NOT NULL, position text NOT NULL, grade text NOT NULL,
  status text NOT NULL,
  seen_first_name text NOT NULL, seen_middle_name text NOT NULL, seen_last_name text NOT NULL,
  seen_email text NOT NULL, seen_custom_id text NOT NULL, seen_school_district_external_id text NOT NULL,
  seen_user_type text NOT NULL, seen_position text NOT NULL, seen_grade text NOT NULL, seen_status text NOT NULL,
  address NOT NULL, seen_address NOT NULL, password_hash text NOT NULL,
  "before" text NOT NULL, "after" text NOT NULL,
  org_id integer
)

-- statement: index_by_account
CREATE INDEX run_change_account ON run_change (account_id)

-- statement: index_by_address
CREATE INDEX run_change_address ON run_change (address)
