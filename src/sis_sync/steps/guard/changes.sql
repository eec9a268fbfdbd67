-- More than 5 % of the matched accounts, and at least 20, change the same field (address, names, org, user type):
-- a shifted column, a new domain, a renumbered school.
SELECT subject, count(*) AS found, max(matched) AS base, '5 %' AS bound
FROM (
  SELECT 'address' AS subject FROM changed WHERE has_match(fields, 'email')
  UNION ALL SELECT 'names' FROM changed WHERE has_match(fields, '_name')
  UNION ALL SELECT 'school or district' FROM changed WHERE has_match(fields, 'school_district_external_id')
  UNION ALL SELECT 'user type' FROM changed WHERE has_match(fields, 'user_type')
), matched_total
GROUP BY subject
HAVING count(*) >= 20 AND count(*) * 100 > max(matched) * 5
ORDER BY subject
