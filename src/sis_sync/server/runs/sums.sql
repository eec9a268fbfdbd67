-- DuckDB. In: the plan file (:plan) and the accounts that it was made with (accounts, paired_accounts).
-- Out: one row per school and user type: the people whom the run could delete (:types; those who are active if
-- :only_active), and how many of them leave, are new, come back, change, move away, and how many move here.
WITH changed AS (
  SELECT action, old_school_district_external_id AS old_org, school_district_external_id AS new_org,
    old_user_type AS old_type, user_type AS new_type
  FROM read_parquet(:plan) WHERE action IN ('create', 'update', 'restore', 'delete', 'disable')
),
cases AS (
  SELECT school_district_external_id AS org, user_type, 'here' AS what, count(*) AS number
  FROM accounts
  WHERE custom_id <> '' AND NOT is_deleted AND in_scope AND user_type IN :types
    AND (NOT :only_active OR status = 'Active')
  GROUP BY org, accounts.user_type
  UNION ALL
  SELECT org, user_type, 'here', accounts FROM paired_accounts
  WHERE user_type IN :types AND (NOT :only_active OR status = 'Active')
  UNION ALL
  SELECT old_org, old_type, CASE action WHEN 'update' THEN 'change' ELSE 'leave' END, 1
  FROM changed WHERE action IN ('update', 'delete', 'disable')
  UNION ALL
  SELECT new_org, new_type, CASE action WHEN 'create' THEN 'new' ELSE 'back' END, 1
  FROM changed WHERE action IN ('create', 'restore')
  UNION ALL
  SELECT old_org, old_type, 'away', 1 FROM changed
  WHERE action = 'update' AND (old_org, old_type) <> (new_org, new_type)
  UNION ALL
  SELECT new_org, new_type, 'arrive', 1 FROM changed
  WHERE action = 'update' AND (old_org, old_type) <> (new_org, new_type)
)
SELECT org, user_type,
  CAST(coalesce(sum(CASE WHEN what = 'here' THEN number END), 0) AS BIGINT) AS here,
  CAST(coalesce(sum(CASE WHEN what = 'leave' THEN number END), 0) AS BIGINT) AS leave,
  CAST(coalesce(sum(CASE WHEN what = 'new' THEN number END), 0) AS BIGINT) AS new,
  CAST(coalesce(sum(CASE WHEN what = 'back' THEN number END), 0) AS BIGINT) AS back,
  CAST(coalesce(sum(CASE WHEN what = 'change' THEN number END), 0) AS BIGINT) AS change,
  CAST(coalesce(sum(CASE WHEN what = 'away' THEN number END), 0) AS BIGINT) AS away,
  CAST(coalesce(sum(CASE WHEN what = 'arrive' THEN number END), 0) AS BIGINT) AS arrive
FROM cases
GROUP BY org, user_type
ORDER BY org, user_type
