-- In: run_change, the live tables. Out of each statement: how many changes the plan can no longer be trusted for.
-- Run on PostgreSQL and SQLite.

-- statement: resolve_orgs
UPDATE run_change SET org_id = (
  SELECT o.id FROM orgs_org o
  WHERE o.school_system_id = %(school_system)s AND o.external_id = run_change.school_district_external_id
    AND (%(whole)s = 1 OR o.id = %(scope)s)
)
WHERE action IN ('create', 'update', 'restore')

-- statement: changed_accounts
SELECT count(*) FROM run_change c
LEFT JOIN accounts_account a ON a.id = c.account_id AND a.school_system_id = %(school_system)s
LEFT JOIN orgs_org o ON o.id = a.org_id
WHERE c.action <> 'create' AND (
  a.id IS NULL
  OR a.is_protected
  OR (a.is_held_by_hand AND c.action IN ('update', 'restore'))
  OR (a.deleted_at IS NULL) = (c.action = 'restore')
  OR (a.deleted_at IS NOT NULL AND a.deleted_at <= %(restorable_since)s)
  OR (%(whole)s = 0 AND a.org_id <> %(scope)s)
  OR coalesce(a.custom_id, '') <> c.seen_custom_id
  OR a.first_name <> c.seen_first_name OR a.middle_name <> c.seen_middle_name OR a.last_name <> c.seen_last_name
  OR a.email <> c.seen_email OR coalesce(o.external_id, '') <> c.seen_school_district_external_id
  OR a.user_type <> c.seen_user_type OR a.position <> c.seen_position OR a.grade <> c.seen_grade
  OR a.status <> c.seen_status
)

-- statement: missing_orgs
SELECT count(*) FROM run_change c
WHERE c.org_id IS NULL AND (
  c.action IN ('create', 'restore')
  OR (c.action = 'update' AND c.school_district_external_id <> c.seen_school_district_external_id)
)

-- statement: taken_addresses
-- An address that a row takes while another live account, which this run neither removes nor moves away, holds it.
SELECT count(*) FROM run_change c
JOIN accounts_account a
  ON a.school_system_id = %(school_system)s AND lower(a.email) = c.address AND a.deleted_at IS NULL
WHERE c.action IN ('create', 'update', 'restore')
  AND (c.account_id IS NULL OR a.id <> c.account_id)
  AND NOT EXISTS (
    SELECT 1 FROM run_change other WHERE other.account_id = a.id
      AND (other.action = 'delete' OR (other.action = 'update' AND other.address <> c.address)))

-- statement: taken_custom_ids
SELECT count(*) FROM run_change c
JOIN accounts_account a ON a.school_system_id = %(school_system)s AND a.custom_id = c.custom_id
WHERE c.action = 'create'

-- statement: unguarded_managers
-- What the guard over managers would hold, had the account had its rights when the run was planned.
SELECT count(*) FROM run_change c
WHERE EXISTS (SELECT 1 FROM orgs_right r WHERE r.account_id = c.account_id)
  AND (c.action IN ('delete', 'disable', 'restore')
       OR c.address <> c.seen_address
       OR c.school_district_external_id <> c.seen_school_district_external_id
       OR (c.status = 'Disabled' AND c.seen_status = 'Active'))
