-- A school or a user type has 5 active accounts or more now, and none after the run.
SELECT before.subject, before.base AS found, before.base, '0' AS bound
FROM (
  SELECT CASE WHEN org = '' THEN user_type ELSE 'at ' || org END AS subject, org, user_type, base
  FROM slices WHERE (org = '') <> (user_type = '') AND base >= 5
) AS before
LEFT JOIN (
  SELECT coalesce(org, '') AS org, coalesce(user_type, '') AS user_type, count(*) AS rest
  FROM (
    SELECT org, user_type FROM base
    WHERE NOT custom_id IN (SELECT custom_id FROM leaving) AND NOT custom_id IN (SELECT custom_id FROM changed)
    UNION ALL
    SELECT org, user_type FROM changed WHERE status = 'Active'
    UNION ALL
    SELECT org, user_type FROM arriving WHERE status = 'Active'
  )
  GROUP BY GROUPING SETS ((org), (user_type))
) AS after ON after.org = before.org AND after.user_type = before.user_type
WHERE after.rest IS NULL
ORDER BY before.org, before.user_type
