-- More than 5 % of the values of one field, and at least 20, become empty. Unspecified counts as empty. The percentage
-- is of the values that the accounts in the file have now.
WITH kept AS (
  SELECT middle_name, position, grade FROM people
  WHERE is_same AND NOT is_deleted AND NOT line IN (SELECT line FROM ignored) AND NOT line IN (SELECT line FROM failed)
)
SELECT c.subject, c.cleared AS found, c.filled + u.filled AS base, '5 %' AS bound
FROM (
  SELECT 'middle_name' AS subject, count(*) FILTER (WHERE middle_name = '') AS cleared, count(*) AS filled
  FROM changed WHERE old_middle_name <> ''
  UNION ALL
  SELECT 'position', count(*) FILTER (WHERE position = ''), count(*) FROM changed WHERE old_position <> ''
  UNION ALL
  SELECT 'grade', count(*) FILTER (WHERE grade IN ('', 'Unspecified')), count(*)
  FROM changed WHERE NOT old_grade IN ('', 'Unspecified')
) AS c
JOIN (
  SELECT 'middle_name' AS subject, count(*) FILTER (WHERE middle_name <> '') AS filled FROM kept
  UNION ALL
  SELECT 'position', count(*) FILTER (WHERE position <> '') FROM kept
  UNION ALL
  SELECT 'grade', count(*) FILTER (WHERE NOT grade IN ('', 'Unspecified')) FROM kept
) AS u ON u.subject = c.subject
WHERE c.cleared >= 20 AND c.cleared * 100 > (c.filled + u.filled) * 5
ORDER BY c.subject
