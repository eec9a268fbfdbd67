-- Accounts would leave while a failed row names no known account: the row may belong to one of them.
-- A record that could not be split names an account only if one of its cells is the ID of an account without a row of
-- its own: any other number in it could be someone else's ID.
SELECT 'for example line ' || CAST(min(x.line) AS STRING) AS subject, count(*) AS found,
  (SELECT count(*) FROM leaving) AS base, '0' AS bound
FROM plan AS x
WHERE x.action = 'failed'
  AND NOT x.line IN (SELECT p.line FROM people AS p JOIN failed AS f ON f.line = p.line WHERE p.is_known)
  AND NOT x.line IN (
    SELECT b.line FROM broken_cells AS b JOIN accounts AS a ON a.custom_id = b.cell AND a.custom_id <> ''
    WHERE NOT a.custom_id IN (
      SELECT p.custom_id FROM people AS p JOIN broken_cells AS c ON c.cell = p.custom_id WHERE NOT p.is_skipped))
  AND (SELECT count(*) FROM leaving) > 0
HAVING count(*) > 0
