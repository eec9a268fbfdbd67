-- SQLite only: the tables that the changes are loaded into. The transaction already has the only write lock.
-- Columns of addresses have no type: with one, SQLite would not use the index over lower(email).

-- statement: forget_changes
DROP TABLE IF EXISTS run_change

-- statement: forget_seen
DROP TABLE IF EXISTS run_seen

-- statement: forget_orgs
DROP TABLE IF EXISTS run_org

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
