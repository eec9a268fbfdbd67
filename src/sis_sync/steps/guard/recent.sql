-- In:  recent_changes.
-- Out: lately: one row per account that policy changed in the last 7 days.
-- DuckDB only. recent_changes has account_id, number, by_policy, counts_for, action, before and after. Of lately,
-- base_status, base_org and base_type are the values before policy changed them, since a person last did; an empty
-- status means that there was no account; NULL means that policy did not change it. is_import: a first import created
-- it, which the limits of its mode trust. For left_lately and so on, a sum over 7 days counts the account.
CREATE TEMP TABLE lately AS
WITH changes AS (
  SELECT account_id, CAST(number AS BIGINT) AS number, by_policy <> 'no' AS by_policy,
    by_policy = 'import' AND action = 'create' AS is_import, counts_for, action,
    before ->> 'status' AS old_status, after ->> 'status' AS new_status,
    before ->> 'school_district_external_id' AS old_org, before ->> 'user_type' AS old_type,
    lower(before ->> 'email') <> lower(after ->> 'email') AS is_new_address,
    coalesce(before ->> 'first_name', before ->> 'middle_name', before ->> 'last_name') IS NOT NULL AS is_new_name
  FROM recent_changes
),
values_before AS (
  SELECT account_id, number, by_policy, 'status' AS field, CASE action WHEN 'create' THEN '' ELSE old_status END AS old
  FROM changes WHERE action = 'create' OR old_status IS NOT NULL
  UNION ALL
  SELECT account_id, number, by_policy, 'org', old_org FROM changes WHERE old_org IS NOT NULL
  UNION ALL
  SELECT account_id, number, by_policy, 'type', old_type FROM changes WHERE old_type IS NOT NULL
),
undone AS (
  SELECT v.account_id, v.field, arg_min(v.old, v.number) AS old
  FROM values_before AS v
  LEFT JOIN (
    SELECT account_id, field, max(number) AS number FROM values_before WHERE NOT by_policy GROUP BY account_id, field
  ) AS p ON p.account_id = v.account_id AND p.field = v.field
  WHERE v.by_policy AND v.number > coalesce(p.number, 0)
  GROUP BY v.account_id, v.field
),
bases AS (
  SELECT account_id, max(old) FILTER (WHERE field = 'status') AS base_status,
    max(old) FILTER (WHERE field = 'org') AS base_org, max(old) FILTER (WHERE field = 'type') AS base_type
  FROM undone GROUP BY account_id
),
sums AS (
  SELECT account_id,
    bool_or(is_import) AS is_import,
    bool_or(counts_for LIKE '%guard.drip%' AND (action IN ('delete', 'disable')
      OR coalesce(old_status = 'Active' AND new_status = 'Disabled', FALSE))) AS left_lately,
    bool_or(counts_for LIKE '%guard.creations%' AND action IN ('create', 'restore')) AS has_arrived,
    bool_or(counts_for LIKE '%guard.enabled%' AND action = 'update'
      AND coalesce(old_status = 'Disabled' AND new_status = 'Active', FALSE)) AS was_enabled,
    bool_or(counts_for LIKE '%guard.changes%' AND coalesce(is_new_address, FALSE)) AS has_new_address,
    bool_or(counts_for LIKE '%guard.changes%' AND is_new_name AND action <> 'create') AS has_new_name,
    bool_or(counts_for LIKE '%guard.changes%' AND old_org IS NOT NULL) AS has_new_org,
    bool_or(counts_for LIKE '%guard.changes%' AND old_type IS NOT NULL) AS has_new_type
  FROM changes WHERE by_policy GROUP BY account_id
)
SELECT s.*, b.base_status, b.base_org, b.base_type
FROM sums AS s LEFT JOIN bases AS b ON b.account_id = s.account_id
