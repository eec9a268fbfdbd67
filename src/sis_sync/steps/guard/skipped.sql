-- The mapping leaves out a row that belongs to a live account.
SELECT 'for example ID ' || min(p.custom_id) AS subject, count(*) AS found,
  (SELECT count(*) FROM people WHERE is_skipped) AS base, '0' AS bound
FROM people AS p
WHERE p.is_skipped AND p.is_known AND NOT p.is_deleted
HAVING count(*) > 0
