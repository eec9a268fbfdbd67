-- Accounts would leave while a failed row names no known account: the row may be one of them.
SELECT 'for example line ' || CAST(min(x.line) AS STRING) AS subject, count(*) AS found, (SELECT count(*) FROM leaving) AS base, '0' AS bound
FROM plan AS x
WHERE x.action = 'failed'
  AND NOT x.custom_id IN (SELECT custom_id FROM accounts WHERE custom_id <> '')
  AND NOT x.line IN (SELECT b.line FROM broken_cells AS b JOIN accounts AS a ON a.custom_id = b.cell AND a.custom_id <> '')
  AND (SELECT count(*) FROM leaving) > 0
HAVING count(*) > 0
