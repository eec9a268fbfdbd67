-- More than 5 % of the values of one field that this run changes, and at least 20, become empty; at least 5 if there
-- are fewer than 20 accounts. Unspecified counts as empty. An empty value that is filled does not count.
WITH written AS (
  SELECT 'middle_name' AS subject, middle_name = '' AS is_cleared FROM changed
  WHERE old_middle_name <> '' AND old_middle_name <> middle_name
  UNION ALL
  SELECT 'position', position = '' FROM changed WHERE old_position <> '' AND old_position <> position
  UNION ALL
  SELECT 'grade', grade IN ('', 'Unspecified') FROM changed
  WHERE NOT old_grade IN ('', 'Unspecified') AND old_grade <> grade
)
SELECT subject, found, written AS base, CASE WHEN base < 20 THEN '4' ELSE '5 %' END AS bound
FROM (
  SELECT subject, count(*) FILTER (WHERE is_cleared) AS found, count(*) AS written FROM written GROUP BY subject
) AS counted, totals
WHERE NOT is_all
  AND CASE WHEN base < 20 THEN found >= 5 ELSE found >= 20 AND found * 100 > written * 5 END
ORDER BY subject
