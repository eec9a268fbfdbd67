-- In:  plan, differences, people, accounts, orgs, lately, pair_totals, paired_accounts.
-- Out: changed: one row per row that updates or restores an account, with the values that guards compare;
--      arriving: one row per row that creates an account;
--      base: one row per managed account that limits are measured against: it was Active or Disabled (idle) before
--        policy changed anything in the last 7 days. None of a pair is in it. is_of_mode: it has a type of the mode and
--        is in scope; is_of_all: it counts for the sums over the whole school system, which no mode or scope can keep
--        apart;
--      leaving: one row per account that is deleted, disabled by absence, or goes from Active to Disabled;
--      totals: two rows, for the mode and for all: the rows that match an account (matched), and the accounts in base
--        that were Active (base) and Disabled (idle).
CREATE TEMP TABLE changed AS
SELECT *, CASE WHEN is_deleted THEN 'restore' ELSE 'update' END AS action FROM differences;

CREATE TEMP TABLE arriving AS
SELECT p.line, p.custom_id, p.first_name, p.middle_name, p.last_name, p.school_district_external_id AS org, p.user_type,
  p.status
FROM (SELECT line FROM plan WHERE action = 'create') AS x JOIN people AS p ON p.line = x.line;

CREATE TEMP TABLE base AS
SELECT custom_id, user_type, CASE org WHEN '' THEN :nameless_org ELSE org END AS org, status = 'Disabled' AS is_idle,
  in_scope AND user_type IN :mode_types AS is_of_mode, NOT is_import AS is_of_all
FROM (
  SELECT a.custom_id, coalesce(l.is_import, FALSE) AS is_import,
    CASE WHEN l.base_status IS NOT NULL AND NOT l.is_import THEN l.base_status
         WHEN a.is_deleted THEN 'Deleted' ELSE a.status END AS status,
    coalesce(l.base_type, a.user_type) AS user_type,
    coalesce(l.base_org, a.school_district_external_id) AS org,
    coalesce(o.in_scope, a.in_scope) AS in_scope
  FROM accounts AS a
  LEFT JOIN lately AS l ON l.account_id = a.account_id
  LEFT JOIN orgs AS o ON o.external_id = l.base_org
  WHERE a.custom_id <> ''
) AS before
WHERE status IN ('Active', 'Disabled');

CREATE TEMP TABLE leaving AS
SELECT a.custom_id, coalesce(b.user_type, a.user_type) AS user_type,
  coalesce(b.org, CASE a.school_district_external_id WHEN '' THEN :nameless_org
                  ELSE a.school_district_external_id END) AS org,
  a.status <> 'Active' AND coalesce(b.is_idle, TRUE) AS is_idle,
  NOT coalesce(b.is_of_mode, FALSE) AS is_extra
FROM (
  SELECT custom_id FROM plan WHERE action IN ('delete', 'disable')
  UNION
  SELECT custom_id FROM changed WHERE action = 'update' AND old_status = 'Active' AND status = 'Disabled'
) AS v
JOIN accounts AS a ON a.custom_id = v.custom_id
LEFT JOIN base AS b ON b.custom_id = v.custom_id;

CREATE TEMP TABLE totals AS
SELECT is_all, matched, CASE WHEN is_all THEN of_all ELSE of_mode END AS base,
  CASE WHEN is_all THEN idle_of_all ELSE idle_of_mode END AS idle
FROM
  (
    SELECT (SELECT count(*) FROM plan WHERE action IN ('update', 'restore', 'unchanged')) + people AS matched
    FROM pair_totals
  ) AS rows_matched,
  (
    SELECT CAST(coalesce(sum(CASE WHEN is_of_mode AND NOT is_idle THEN accounts END), 0) AS BIGINT) AS of_mode,
      CAST(coalesce(sum(CASE WHEN is_of_all AND NOT is_idle THEN accounts END), 0) AS BIGINT) AS of_all,
      CAST(coalesce(sum(CASE WHEN is_of_mode AND is_idle THEN accounts END), 0) AS BIGINT) AS idle_of_mode,
      CAST(coalesce(sum(CASE WHEN is_of_all AND is_idle THEN accounts END), 0) AS BIGINT) AS idle_of_all
    FROM (
      SELECT is_of_mode, is_of_all, is_idle, count(*) AS accounts FROM base GROUP BY is_of_mode, is_of_all, is_idle
      UNION ALL
      SELECT TRUE, NOT is_import, status = 'Disabled', accounts FROM paired_accounts
    ) AS with_pairs
  ) AS counted,
  (SELECT FALSE AS is_all UNION ALL SELECT TRUE) AS two_rows
