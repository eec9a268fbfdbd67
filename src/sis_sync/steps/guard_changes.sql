-- Many accounts change the same thing at once: a shifted column, a new domain, a renumbered school.
SELECT subject, count(*) AS found, (SELECT count(*) FROM matched) AS base, CAST(:changes_percent AS STRING) || ' %' AS bound
FROM (
  SELECT 'address' AS subject FROM matched WHERE has_match(fields, 'email')
  UNION ALL SELECT 'names' FROM matched WHERE has_match(fields, '_name')
  UNION ALL SELECT 'school or district' FROM matched WHERE has_match(fields, 'school_district_external_id')
  UNION ALL SELECT 'user type' FROM matched WHERE has_match(fields, 'user_type')
)
GROUP BY subject
HAVING count(*) >= :changes_floor AND count(*) * 100 > (SELECT count(*) FROM matched) * :changes_percent
ORDER BY subject
