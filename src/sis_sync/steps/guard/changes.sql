-- Within 7 days, more than 5 % of the accounts, and at least 20, change the same field (address, names, org, user
-- type): a shifted column, a new domain, a renumbered school. If there are fewer than 20 accounts, at least 5. Judged
-- for the mode and for the whole school system.
WITH of_this_run AS (
  SELECT 'address' AS subject, custom_id FROM changed WHERE has_match(fields, 'email')
  UNION ALL SELECT 'names', custom_id FROM changed WHERE has_match(fields, '_name')
  UNION ALL SELECT 'school or district', custom_id FROM changed WHERE has_match(fields, 'school_district_external_id')
  UNION ALL SELECT 'user type', custom_id FROM changed WHERE has_match(fields, 'user_type')
),
earlier AS (
  SELECT subject, a.custom_id,
    coalesce(b.is_of_mode, FALSE) OR (a.in_scope AND a.user_type IN :mode_types) AS is_of_mode
  FROM (
    SELECT 'address' AS subject, account_id FROM lately WHERE has_new_address
    UNION ALL SELECT 'names', account_id FROM lately WHERE has_new_name
    UNION ALL SELECT 'school or district', account_id FROM lately WHERE has_new_org
    UNION ALL SELECT 'user type', account_id FROM lately WHERE has_new_type
  ) AS l
  JOIN accounts AS a ON a.account_id = l.account_id
  LEFT JOIN base AS b ON b.custom_id = a.custom_id
  WHERE a.custom_id <> '' AND subject IN (SELECT subject FROM of_this_run)
),
each_once AS (
  SELECT subject, custom_id, bool_or(is_of_mode) AS is_of_mode
  FROM (SELECT subject, custom_id, TRUE AS is_of_mode FROM of_this_run UNION ALL SELECT * FROM earlier) AS each_time
  GROUP BY subject, custom_id
),
judged AS (
  SELECT subject, is_all, base, CASE WHEN is_all THEN of_all ELSE of_mode END AS found
  FROM (
    SELECT subject, count(*) AS of_all, count(*) FILTER (WHERE is_of_mode) AS of_mode FROM each_once GROUP BY subject
  ) AS counted, totals
)
SELECT subject, found, base, CASE WHEN base < 20 THEN '4' ELSE '5 %' END AS bound
FROM (
  SELECT subject, found, base, row_number() OVER (PARTITION BY subject ORDER BY is_all) AS place
  FROM judged
  WHERE CASE WHEN base < 20 THEN found >= 5 ELSE found >= 20 AND found * 100 > base * 5 END
) AS over_the_limit
WHERE place = 1
ORDER BY subject
