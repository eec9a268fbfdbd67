-- In: run_change, run_seen, run_org, the live tables. Out: each statement counts changes that no longer fit the
-- accounts. Runs on PostgreSQL and SQLite.

-- statement: changed_accounts
-- If the plan changes an account that is not in run_seen, the account counts as changed.
SELECT count(*) FROM run_change c
LEFT JOIN run_seen s ON s.account_id = c.account_id
LEFT JOIN accounts_account a ON a.id = c.account_id AND a.school_system_id = %(school_system)s
LEFT JOIN orgs_org o ON o.id = a.org_id
WHERE c.action <> 'create' AND (
  a.id IS NULL OR s.account_id IS NULL
  OR a.is_protected
  OR (a.is_held_by_hand <> s.is_held_by_hand AND c.action IN ('update', 'restore', 'unchanged'))
  OR (a.deleted_at IS NULL) = (c.action = 'restore')
  OR (a.deleted_at IS NOT NULL AND a.deleted_at <= %(restorable_since)s)
  OR (%(whole)s = 0 AND a.org_id <> %(scope)s)
  OR coalesce(a.custom_id, '') <> s.custom_id
  OR a.first_name <> s.first_name OR a.middle_name <> s.middle_name OR a.last_name <> s.last_name
  OR a.email <> s.email OR coalesce(o.external_id, '') <> s.school_district_external_id
  OR a.user_type <> s.user_type OR a.position <> s.position OR a.grade <> s.grade
  OR a.status <> s.status
)

-- statement: missing_orgs
SELECT count(*) FROM run_change c
LEFT JOIN run_org o ON o.external_id = c.school_district_external_id
LEFT JOIN run_seen s ON s.account_id = c.account_id
WHERE o.org_id IS NULL AND (
  c.action = 'create'
  OR (c.action IN ('update', 'restore') AND c.school_district_external_id <> s.school_district_external_id)
)

-- statement: taken_addresses
-- Rows whose new address belongs to another live account. Such an address is free if this run deletes that account
-- or changes its address.
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
-- Changes to accounts that became managers after planning. The guard over managers would have held these changes.
SELECT count(*) FROM run_change c
JOIN run_seen s ON s.account_id = c.account_id
WHERE EXISTS (SELECT 1 FROM orgs_right r WHERE r.account_id = c.account_id)
  AND (c.action IN ('delete', 'disable', 'restore')
       OR c.brings_password
       OR c.address <> s.address
       OR c.school_district_external_id <> s.school_district_external_id
       OR (c.status = 'Disabled' AND s.status = 'Active'))
