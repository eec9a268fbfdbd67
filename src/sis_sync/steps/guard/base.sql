-- In:  plan, differences, people, accounts, orgs, lately.
-- Out: changed: one row per row that updates or restores an account, with the values that guards compare;
--      arriving: one row per row that creates an account;
--      base: one row per managed account of the mode's types in scope that limits are measured against: it was Active
--        or Disabled (idle) before policy changed anything in the last 7 days;
--      leaving: one row per account that is deleted, disabled by absence, or goes from Active to Disabled;
--      totals: one row: the rows that match an account (matched), and the accounts in base that are not idle (base).
CREATE TEMP TABLE changed AS
SELECT *, CASE WHEN is_deleted THEN 'restore' ELSE 'update' END AS action FROM differences;

CREATE TEMP TABLE arriving AS
SELECT p.line, p.custom_id, p.first_name, p.middle_name, p.last_name, p.school_district_external_id AS org, p.user_type,
  p.status
FROM (SELECT line FROM plan WHERE action = 'create') AS x JOIN people AS p ON p.line = x.line;

CREATE TEMP TABLE base AS
SELECT custom_id, user_type, CASE org WHEN '' THEN :nameless_org ELSE org END AS org, status = 'Disabled' AS is_idle
FROM (
  SELECT a.custom_id,
    coalesce(l.base_status, CASE WHEN a.is_deleted THEN 'Deleted' ELSE a.status END) AS status,
    coalesce(l.base_type, a.user_type) AS user_type,
    coalesce(l.base_org, a.school_district_external_id) AS org,
    coalesce(o.in_scope, a.in_scope) AS in_scope
  FROM accounts AS a
  LEFT JOIN lately AS l ON l.account_id = a.account_id
  LEFT JOIN orgs AS o ON o.external_id = l.base_org
  WHERE a.custom_id <> ''
) AS before
WHERE status IN ('Active', 'Disabled') AND in_scope AND user_type IN :mode_types;

CREATE TEMP TABLE leaving AS
SELECT a.custom_id, coalesce(b.user_type, a.user_type) AS user_type,
  coalesce(b.org, CASE a.school_district_external_id WHEN '' THEN :nameless_org
                  ELSE a.school_district_external_id END) AS org,
  a.status <> 'Active' AND coalesce(b.is_idle, TRUE) AS is_idle,
  b.custom_id IS NULL AS is_extra
FROM (
  SELECT custom_id FROM plan WHERE action IN ('delete', 'disable')
  UNION
  SELECT custom_id FROM changed WHERE action = 'update' AND old_status = 'Active' AND status = 'Disabled'
) AS v
JOIN accounts AS a ON a.custom_id = v.custom_id
LEFT JOIN base AS b ON b.custom_id = v.custom_id;

CREATE TEMP TABLE totals AS
SELECT matched, base
FROM (SELECT count(*) AS matched FROM plan WHERE action IN ('update', 'restore', 'unchanged')) AS rows_matched,
  (SELECT count(*) AS base FROM base WHERE NOT is_idle) AS active
