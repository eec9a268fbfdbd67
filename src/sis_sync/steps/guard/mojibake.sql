-- More than 1 name of 1,000, and at least 3, that this run would write are damaged: letters became signs or HTML
-- entities. The first, middle and last name of a row are one name. An update writes a name if it changes it.
WITH written AS (
  SELECT line, action, fields FROM plan
  WHERE action IN ('create', 'restore') OR (action = 'update' AND has_match(fields, '_name'))
),
damaged AS (
  SELECT o.line, min(o.name) AS name
  FROM odd_names AS o JOIN written AS w ON w.line = o.line
  WHERE NOT o.is_word AND (w.action <> 'update' OR instr(w.fields, o.field) > 0)
  GROUP BY o.line
)
SELECT 'for example ' || example AS subject, found, base, '1 of 1,000' AS bound
FROM
  (SELECT count(*) AS found FROM damaged) AS counted,
  (SELECT count(*) AS base FROM written) AS total,
  (
    SELECT string_agg(name || ' on line ' || CAST(line AS STRING), ', ' ORDER BY line) AS example
    FROM (SELECT line, name FROM damaged ORDER BY line LIMIT 3)
  ) AS shown
WHERE found >= 3 AND found * 1000 > base
