-- Within 7 days, more than 5 % of the accounts, and at least 20, change the same field (address, names, org, user
-- type): a shifted column, a new domain, a renumbered school. If there are fewer than 20 accounts, at least 5.
WITH of_this_run AS (
  SELECT 'address' AS subject, custom_id FROM changed WHERE has_match(fields, 'email')
  UNION ALL SELECT 'names', custom_id FROM changed WHERE has_match(fields, '_name')
  UNION ALL SELECT 'school or district', custom_id FROM changed WHERE has_match(fields, 'school_district_external_id')
  UNION ALL SELECT 'user type', custom_id FROM changed WHERE has_match(fields, 'user_type')
),
earlier AS (
  SELECT subject, a.custom_id
  FROM (
    SELECT 'address' AS subject, account_id FROM lately WHERE has_new_address
    UNION ALL SELECT 'names', account_id FROM lately WHERE has_new_name
    UNION ALL SELECT 'school or district', account_id FROM lately WHERE has_new_org
    UNION ALL SELECT 'user type', account_id FROM lately WHERE has_new_type
  ) AS l
  JOIN accounts AS a ON a.account_id = l.account_id
  LEFT JOIN base AS b ON b.custom_id = a.custom_id
  WHERE (b.custom_id IS NOT NULL OR (a.in_scope AND a.user_type IN :mode_types))
    AND subject IN (SELECT subject FROM of_this_run)
)
SELECT subject, found, base, CASE WHEN base < 20 THEN '4' ELSE '5 %' END AS bound
FROM (
  SELECT subject, count(*) AS found
  FROM (SELECT subject, custom_id FROM of_this_run UNION SELECT subject, custom_id FROM earlier) AS each_once
  GROUP BY subject
) AS counted, totals
WHERE CASE WHEN base < 20 THEN found >= 5 ELSE found >= 20 AND found * 100 > base * 5 END
ORDER BY subject
