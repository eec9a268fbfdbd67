-- More than 1 % of the values of one name field that this run would write, and at least 3, are words for nothing, such
-- as NULL, or error words of a spreadsheet. An update writes the fields that it changes.
WITH written AS (
  SELECT f.field, count(*) AS base
  FROM (SELECT 'first_name' AS field UNION ALL SELECT 'middle_name' UNION ALL SELECT 'last_name') AS f
  JOIN plan AS x ON x.action IN ('create', 'restore') OR (x.action = 'update' AND instr(x.fields, f.field) > 0)
  GROUP BY f.field
),
words AS (
  SELECT o.field, count(*) AS found, min(o.line) AS first_line
  FROM odd_names AS o JOIN plan AS x ON x.line = o.line
  WHERE o.is_word AND (x.action IN ('create', 'restore') OR (x.action = 'update' AND instr(x.fields, o.field) > 0))
  GROUP BY o.field
)
SELECT n.field || ' "' || o.name || '" on line ' || CAST(o.line AS STRING) || ', which the mapping line '
  || 'mapper.NAME.value.' || n.field || '.' || o.name || '= clears' AS subject, n.found, w.base, '1 %' AS bound
FROM words AS n
JOIN written AS w ON w.field = n.field
JOIN odd_names AS o ON o.field = n.field AND o.line = n.first_line
WHERE n.found >= 3 AND n.found * 100 > w.base
ORDER BY n.field
