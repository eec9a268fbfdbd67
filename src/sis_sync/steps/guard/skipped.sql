-- The mapping leaves out a row that belongs to an account which would leave.
SELECT 'for example ID ' || min(p.custom_id) AS subject, count(*) AS found,
  (SELECT count(*) FROM people WHERE is_skipped) AS base, '0' AS bound
FROM people AS p
WHERE p.is_skipped AND p.custom_id IN (SELECT custom_id FROM absent)
HAVING count(*) > 0
