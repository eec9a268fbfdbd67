-- A school or a user type had 5 active accounts or more, has some now, and has none after the run.
WITH active AS (
  SELECT user_type,
    CASE school_district_external_id WHEN '' THEN :nameless_org ELSE school_district_external_id END AS org, custom_id
  FROM accounts
  WHERE custom_id <> '' AND NOT is_deleted AND status = 'Active' AND in_scope AND user_type IN :mode_types
),
rest AS (
  SELECT coalesce(org, '') AS org, coalesce(user_type, '') AS user_type,
    CAST(sum(now) AS BIGINT) AS now, CAST(sum(after) AS BIGINT) AS after
  FROM (
    SELECT org, user_type, 1 AS now, 0 AS after FROM active
    UNION ALL
    SELECT org, user_type, 0, 1 FROM active
    WHERE NOT custom_id IN (SELECT custom_id FROM leaving) AND NOT custom_id IN (SELECT custom_id FROM changed)
    UNION ALL
    SELECT org, user_type, 0, 1 FROM changed WHERE status = 'Active'
    UNION ALL
    SELECT org, user_type, 0, 1 FROM arriving WHERE status = 'Active'
    UNION ALL
    SELECT org, user_type, accounts, accounts FROM paired_accounts WHERE status = 'Active'
  ) AS each_account
  GROUP BY GROUPING SETS ((org), (user_type))
)
SELECT CASE WHEN r.org = '' THEN r.user_type ELSE 'at ' || r.org END AS subject, r.now AS found, s.base, '0' AS bound
FROM rest AS r
JOIN slices AS s ON s.org = r.org AND s.user_type = r.user_type AND NOT s.is_idle
WHERE s.base >= 5 AND r.now > 0 AND r.after = 0
ORDER BY r.org, r.user_type
