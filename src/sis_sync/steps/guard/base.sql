-- In:  plan, differences, people, accounts.
-- Out: changed: one row per row that updates or restores an account, with the values that guards compare;
--      arriving: one row per row that creates an account;
--      matched_total: one row with the number of rows that match an account;
--      leaving: one row per account that is deleted, disabled by absence, or goes from Active to Disabled;
--      base: one row per managed, live, Active account of the mode's types in scope;
--      slices: one row for all of base, for each org, each user type, and each user type within each org: the number
--        of accounts in base, the number that leave, and how many of those were not Active (idle).
CREATE TEMP TABLE changed AS
SELECT *, CASE WHEN is_deleted THEN 'restore' ELSE 'update' END AS action FROM differences;

CREATE TEMP TABLE arriving AS
SELECT p.custom_id, p.first_name, p.middle_name, p.last_name, p.school_district_external_id AS org, p.user_type,
  p.status
FROM (SELECT line FROM plan WHERE action = 'create') AS x JOIN people AS p ON p.line = x.line;

CREATE TEMP TABLE matched_total AS
SELECT count(*) AS matched FROM plan WHERE action IN ('update', 'restore', 'unchanged');

CREATE TEMP TABLE leaving AS
SELECT custom_id FROM plan WHERE action IN ('delete', 'disable')
UNION
SELECT custom_id FROM changed WHERE action = 'update' AND old_status = 'Active' AND status = 'Disabled';

CREATE TEMP TABLE base AS
SELECT custom_id, user_type,
  CASE school_district_external_id WHEN '' THEN :nameless_org ELSE school_district_external_id END AS org
FROM accounts
WHERE custom_id <> '' AND NOT is_deleted AND status = 'Active' AND in_scope AND user_type IN :mode_types;

CREATE TEMP TABLE slices AS
SELECT coalesce(org, '') AS org, coalesce(user_type, '') AS user_type,
  count(*) FILTER (WHERE stands) AS base, count(*) FILTER (WHERE NOT stands) AS leaving,
  count(*) FILTER (WHERE is_idle) AS idle
FROM (
  SELECT org, user_type, TRUE AS stands, FALSE AS is_idle FROM base
  UNION ALL
  SELECT CASE a.school_district_external_id WHEN '' THEN :nameless_org ELSE a.school_district_external_id END,
    a.user_type, FALSE, a.status <> 'Active'
  FROM accounts AS a JOIN leaving AS v ON v.custom_id = a.custom_id
) AS each_account
GROUP BY GROUPING SETS ((), (org), (user_type), (org, user_type))
