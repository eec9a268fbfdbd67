-- Many values of one field become empty. Unspecified counts as empty.
SELECT subject, cleared AS found, filled AS base, CAST(:cleared_percent AS STRING) || ' %' AS bound
FROM (
  SELECT 'middle_name' AS subject, count(*) FILTER (WHERE middle_name = '') AS cleared, count(*) AS filled
  FROM matched WHERE old_middle_name <> ''
  UNION ALL
  SELECT 'position', count(*) FILTER (WHERE position = ''), count(*) FROM matched WHERE old_position <> ''
  UNION ALL
  SELECT 'grade', count(*) FILTER (WHERE grade IN ('', 'Unspecified')), count(*)
  FROM matched WHERE NOT old_grade IN ('', 'Unspecified')
)
WHERE cleared >= :cleared_floor AND cleared * 100 > filled * :cleared_percent
ORDER BY subject
