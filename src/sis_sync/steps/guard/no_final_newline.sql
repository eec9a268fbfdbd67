-- The last line has no line end, and accounts would leave or the last record would change an account.
SELECT 'line ' || CAST(last.line AS STRING) AS subject, (SELECT count(*) FROM leaving) AS found, 0 AS base, '0' AS bound
FROM (
  SELECT line, action FROM plan
  WHERE line = (SELECT max(line) FROM plan) AND line > (SELECT last_line FROM pair_totals)
  UNION ALL
  SELECT last_line, 'unchanged' FROM pair_totals WHERE last_line > (SELECT coalesce(max(line), 0) FROM plan)
) AS last
WHERE NOT :has_final_newline
  AND ((SELECT count(*) FROM leaving) > 0 OR last.action IN ('create', 'update', 'restore'))
