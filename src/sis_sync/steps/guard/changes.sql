-- Many accounts change the same thing at once: a shifted column, a new domain, a renumbered school.
SELECT subject, count(*) AS found, max(matched) AS base, CAST(:changes_percent AS STRING) || ' %' AS bound
FROM (
  SELECT 'address' AS subject FROM changed WHERE has_match(fields, 'email')
  UNION ALL SELECT 'names' FROM changed WHERE has_match(fields, '_name')
  UNION ALL SELECT 'school or district' FROM changed WHERE has_match(fields, 'school_district_external_id')
  UNION ALL SELECT 'user type' FROM changed WHERE has_match(fields, 'user_type')
), matched_total
GROUP BY subject
HAVING count(*) >= :changes_floor AND count(*) * 100 > max(matched) * :changes_percent
ORDER BY subject
