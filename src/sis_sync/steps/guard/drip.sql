-- More than 15 % of the accounts, and at least 5, would have left within 7 days: those of earlier runs that have not
-- returned, and those of this run, each counted once.
WITH gone AS (
  SELECT custom_id FROM leaving
  UNION
  SELECT a.custom_id FROM accounts AS a
  WHERE a.custom_id IN (SELECT custom_id FROM left_before) AND a.in_scope AND a.user_type IN :mode_types
    AND (a.is_deleted OR a.status = 'Disabled')
    AND NOT a.custom_id IN (SELECT custom_id FROM changed WHERE status = 'Active')
)
SELECT '' AS subject, found, total AS base, '15 %' AS bound
FROM (SELECT count(*) AS found FROM gone) AS counted, (SELECT count(*) AS total FROM base) AS living
WHERE (SELECT count(*) FROM leaving) > 0 AND found >= 5 AND found * 100 > total * 15
