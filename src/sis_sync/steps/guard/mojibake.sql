-- More than 1 name of 1,000, and at least 3, that this run would write contain letters that a wrong encoding
-- damaged. The first, middle and last name of a row are one name. An update writes a name if it changes it. Names in
-- ASCII are never damaged, so only the others are compared with the pattern.
WITH judged AS (
  SELECT line, first_name, middle_name, last_name FROM people
  WHERE line IN (
    SELECT line FROM plan
    WHERE action IN ('create', 'restore') OR (action = 'update' AND has_match(fields, '_name')))
),
damaged AS (
  SELECT line, name
  FROM (
    SELECT line, concat_ws(' ', nullif(first_name, ''), nullif(middle_name, ''), nullif(last_name, '')) AS name
    FROM judged WHERE NOT is_ascii(first_name) OR NOT is_ascii(middle_name) OR NOT is_ascii(last_name)
  ) AS named
  WHERE has_match(name, :mojibake)
)
SELECT 'for example ' || example AS subject, found, base, '1 of 1,000' AS bound
FROM
  (SELECT count(*) AS found FROM damaged) AS counted,
  (SELECT count(*) AS base FROM judged WHERE first_name <> '' OR middle_name <> '' OR last_name <> '') AS total,
  (
    SELECT string_agg(name || ' on line ' || CAST(line AS STRING), ', ' ORDER BY line) AS example
    FROM (SELECT line, name FROM damaged ORDER BY line LIMIT 3)
  ) AS shown
WHERE found >= 3 AND found * 1000 > base
