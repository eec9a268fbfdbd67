-- In: run_change, run_seen, run_org. Out: the accounts as planned, and their history. Runs on PostgreSQL and SQLite.
-- Keep this order: accounts that leave or change address release it first, because the unique index over addresses is
-- checked row by row.

-- statement: release_custom_ids
-- Accounts that were deleted too long ago to be restored lose their IDs, so that new accounts can use them.
UPDATE accounts_account SET custom_id = NULL
WHERE school_system_id = %(school_system)s AND deleted_at <= %(restorable_since)s
  AND custom_id IN (SELECT c.custom_id FROM run_change c WHERE c.action = 'create')

-- statement: park_addresses
UPDATE accounts_account AS a SET email = 'moving ' || a.id
FROM run_change c JOIN run_seen s ON s.account_id = c.account_id
WHERE c.account_id = a.id AND c.action = 'update' AND c.address <> s.address

-- statement: delete
UPDATE accounts_account AS a SET deleted_at = %(now)s, sessions_ended_at = %(now)s, updated_at = %(now)s
FROM run_change c
WHERE c.account_id = a.id AND c.action = 'delete'

-- statement: put_back
-- An undo deletes the people that its run restored, and puts their old values back. No other plan has values for a
-- leaver.
UPDATE accounts_account AS a SET
  first_name = c.first_name, middle_name = c.middle_name, last_name = c.last_name, email = c.email,
  org_id = coalesce(o.org_id, a.org_id), user_type = c.user_type, position = c.position, grade = c.grade,
  status = c.status
FROM run_change c LEFT JOIN run_org o ON o.external_id = c.school_district_external_id
WHERE c.account_id = a.id AND c.action = 'delete' AND c.email <> ''

-- statement: disable
UPDATE accounts_account AS a SET status = 'Disabled', sessions_ended_at = %(now)s, updated_at = %(now)s
FROM run_change c
WHERE c.account_id = a.id AND c.action = 'disable'

-- statement: update
UPDATE accounts_account AS a SET
  first_name = c.first_name, middle_name = c.middle_name, last_name = c.last_name, email = c.email,
  org_id = coalesce(o.org_id, a.org_id), user_type = c.user_type, position = c.position, grade = c.grade,
  status = c.status,
  sessions_ended_at = CASE WHEN c.status = 'Disabled' AND a.status <> 'Disabled' THEN %(now)s
                           ELSE a.sessions_ended_at END,
  updated_at = %(now)s
FROM run_change c LEFT JOIN run_org o ON o.external_id = c.school_district_external_id
WHERE c.account_id = a.id AND c.action = 'update'

-- statement: restore
-- Only an undo restores an account that was disabled by hand before it left. Such an account stays disabled by hand.
UPDATE accounts_account AS a SET
  first_name = c.first_name, middle_name = c.middle_name, last_name = c.last_name, email = c.email,
  org_id = coalesce(o.org_id, a.org_id), user_type = c.user_type, position = c.position, grade = c.grade,
  status = c.status,
  deleted_at = NULL, is_held_by_hand = (a.is_held_by_hand AND c.status = 'Disabled'), updated_at = %(now)s
FROM run_change c LEFT JOIN run_org o ON o.external_id = c.school_district_external_id
WHERE c.account_id = a.id AND c.action = 'restore'

-- statement: create
-- A hash that starts with ! matches no password. The rest is different for each account. A job sets passwords later.
INSERT INTO accounts_account (
  school_system_id, org_id, first_name, middle_name, last_name, email, custom_id, user_type, position, grade, status,
  password, is_protected, protected_reason, is_held_by_hand, deleted_at, last_login, created_at, updated_at
)
SELECT
  %(school_system)s, o.org_id, c.first_name, c.middle_name, c.last_name, c.email, c.custom_id, c.user_type,
  c.position, c.grade, c.status,
  '!' || %(salt)s || c.seq,
  FALSE, '', FALSE, NULL, NULL, %(now)s, %(now)s
FROM run_change c LEFT JOIN run_org o ON o.external_id = c.school_district_external_id
WHERE c.action = 'create'

-- statement: keep_history
INSERT INTO audit_accountchange (
  school_system_id, account_id, run_id, line, actor_id, action, "before", "after", changed_at
)
SELECT %(school_system)s, c.account_id, %(run)s, CASE WHEN %(has_file)s = 1 THEN c.line END, NULL, c.action,
  c."before", c."after", %(now)s
FROM run_change c
WHERE NOT c.action IN ('create', 'unchanged')

-- statement: keep_history_of_newcomers
INSERT INTO audit_accountchange (
  school_system_id, account_id, run_id, line, actor_id, action, "before", "after", changed_at
)
SELECT %(school_system)s, a.id, %(run)s, CASE WHEN %(has_file)s = 1 THEN c.line END, NULL, c.action,
  c."before", c."after", %(now)s
FROM run_change c
JOIN accounts_account a ON a.school_system_id = %(school_system)s AND a.custom_id = c.custom_id
WHERE c.action = 'create'

-- statement: await_passwords
INSERT INTO accounts_filepassword (account_id, run_id, line, outcome, fingerprint)
SELECT a.id, %(run)s, c.line, 'waiting', ''
FROM run_change c
JOIN accounts_account a ON a.school_system_id = %(school_system)s AND a.custom_id = c.custom_id
WHERE c.action = 'create' AND c.brings_password

-- statement: await_new_passwords
-- Of accounts that exist. The fingerprint of the last password of a file stays. If the person has got another password
-- since the file came, that one stays too, and the job only keeps the fingerprint of this one.
INSERT INTO accounts_filepassword (account_id, run_id, line, outcome, fingerprint)
SELECT c.account_id, %(run)s, c.line,
  CASE WHEN EXISTS (
    SELECT 1 FROM audit_accountchange h
    WHERE h.account_id = c.account_id AND h.run_id IS NULL AND h.action IN ('password', 'claim')
      AND h.changed_at > %(received)s) THEN 'overtaken' ELSE 'waiting' END, ''
FROM run_change c
WHERE c.action <> 'create' AND c.brings_password
ON CONFLICT (account_id) DO UPDATE SET run_id = excluded.run_id, line = excluded.line, outcome = excluded.outcome
