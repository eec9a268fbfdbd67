-- Accounts would leave while a row that names no known account could be one of them. For a failed row, the last name
-- and the initial are the same (a missing first name has every initial), or the address is, or neither can be read. A
-- footer may be a half-written last person: one of its cells is the name or the address of the account. If a person
-- edited names here, those that the SIS had count as well.
-- A record that could not be split names an account only if one of its cells is the ID of an account without a row of
-- its own: any other number in it could be someone else's ID. Its name and address cannot be read.
WITH unnamed AS (
  SELECT x.line, coalesce(fold(p.last_name), '') AS last_name,
    coalesce(fold(substr(p.first_name, 1, 1)), '') AS initial,
    CASE WHEN matches(p.email, :email_pattern) THEN p.email_key ELSE '' END AS email_key
  FROM plan AS x LEFT JOIN people AS p ON p.line = x.line
  WHERE x.action = 'failed'
    AND NOT x.line IN (SELECT k.line FROM people AS k JOIN failed AS f ON f.line = k.line WHERE k.is_known)
    AND NOT x.line IN (
      SELECT b.line FROM broken_cells AS b JOIN accounts AS a ON a.custom_id = b.cell AND a.custom_id <> ''
      WHERE NOT a.custom_id IN (
        SELECT o.custom_id FROM people AS o JOIN broken_cells AS c ON c.cell = o.custom_id WHERE NOT o.is_skipped))
),
leavers AS (
  SELECT fold(last_name) AS last_name, fold(substr(first_name, 1, 1)) AS initial, email_key,
    fold(first_name) AS first_name
  FROM (
    SELECT a.first_name, a.last_name, a.email_key FROM leaving AS l JOIN accounts AS a ON a.custom_id = l.custom_id
    UNION ALL
    SELECT coalesce(e.first_name, a.first_name), coalesce(e.last_name, a.last_name), a.email_key
    FROM leaving AS l
    JOIN name_edits AS e ON e.custom_id = l.custom_id
    JOIN accounts AS a ON a.custom_id = l.custom_id
  ) AS n
),
alike AS (
  SELECT line FROM unnamed
  WHERE (SELECT count(*) FROM leaving) > 0
    AND CASE WHEN last_name = '' THEN email_key = ''
             ELSE concat(last_name, chr(31), initial) IN (SELECT concat(last_name, chr(31), initial) FROM leavers)
               OR (initial = '' AND last_name IN (SELECT last_name FROM leavers))
               OR last_name IN (SELECT last_name FROM leavers WHERE initial = '') END
     OR (email_key <> '' AND email_key IN (SELECT email_key FROM leavers))
  UNION
  SELECT c.line FROM broken_cells AS c
  WHERE c.line IN (SELECT line FROM broken WHERE codes = 'row.footer')
    AND fold(c.cell) IN (
      SELECT first_name FROM leavers UNION SELECT last_name FROM leavers UNION SELECT email_key FROM leavers)
)
SELECT 'for example line ' || CAST(min(line) AS STRING) AS subject, count(*) AS found,
  (SELECT count(*) FROM leaving) AS base, '0' AS bound
FROM alike
HAVING count(*) > 0
