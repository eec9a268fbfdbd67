-- In:  plan, people, accounts.
-- Out: base, one row per managed, live, Active account of the mode's types in scope, with its slices and what becomes of it;
--      matched, one row per row that goes on with an account that is there.
CREATE TEMP TABLE matched AS
SELECT x.line, x.action, x.fields, p.*, a.first_name AS old_first_name, a.middle_name AS old_middle_name,
  a.position AS old_position, a.grade AS old_grade, a.status AS old_status
FROM plan AS x
JOIN people AS p ON p.line = x.line
JOIN accounts AS a ON a.custom_id = p.custom_id
WHERE x.action IN ('update', 'restore', 'unchanged') AND p.is_known AND p.has_id;

CREATE TEMP TABLE leaving AS
SELECT custom_id FROM plan WHERE action IN ('delete', 'disable')
UNION
SELECT custom_id FROM matched WHERE action = 'update' AND old_status = 'Active' AND status = 'Disabled';

CREATE TEMP TABLE base AS
SELECT custom_id, school_district_external_id AS org, user_type
FROM accounts
WHERE custom_id <> '' AND NOT is_deleted AND status = 'Active' AND in_scope AND user_type IN :mode_types;

-- slices: the whole, each org, each user type, each user type within each org; with how many leave and how many are there.
CREATE TEMP TABLE slices AS
SELECT s.org, s.user_type, s.base, coalesce(l.leaving, 0) AS leaving
FROM (
  SELECT coalesce(org, '') AS org, coalesce(user_type, '') AS user_type, count(*) AS base
  FROM base GROUP BY GROUPING SETS ((), (org), (user_type), (org, user_type))
) AS s
LEFT JOIN (
  SELECT coalesce(org, '') AS org, coalesce(user_type, '') AS user_type, count(*) AS leaving
  FROM (SELECT a.school_district_external_id AS org, a.user_type FROM accounts AS a JOIN leaving AS v ON v.custom_id = a.custom_id)
  GROUP BY GROUPING SETS ((), (org), (user_type), (org, user_type))
) AS l ON l.org = s.org AND l.user_type = s.user_type
