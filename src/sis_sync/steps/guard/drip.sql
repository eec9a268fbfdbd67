-- Within 7 days, more than 15 % of the accounts, and at least 5, leave: those of earlier runs that have not
-- returned, and those of this run, each counted once. If there are fewer than 20 accounts, 5 of them, or more than
-- half and at least 2. Accounts that were Disabled are counted apart, against the Disabled ones.
WITH gone AS (
  SELECT custom_id, is_idle FROM leaving
  UNION
  SELECT a.custom_id, coalesce(l.base_status = 'Disabled', FALSE)
  FROM accounts AS a
  JOIN lately AS l ON l.account_id = a.account_id
  LEFT JOIN base AS b ON b.custom_id = a.custom_id
  WHERE l.left_lately AND (a.is_deleted OR a.status = 'Disabled')
    AND (b.custom_id IS NOT NULL OR (a.in_scope AND a.user_type IN :mode_types))
    AND NOT a.custom_id IN (SELECT custom_id FROM changed WHERE status = 'Active')
    AND NOT a.custom_id IN (SELECT custom_id FROM leaving)
)
SELECT CASE WHEN g.is_idle THEN 'that were Disabled' ELSE '' END AS subject, found, base,
  CASE WHEN base < 20 AND found < 5 THEN '50 %' WHEN base < 20 THEN '4' ELSE '15 %' END AS bound
FROM (SELECT is_idle, count(*) AS found FROM gone GROUP BY is_idle) AS g
JOIN (SELECT is_idle, base FROM slices WHERE org = '' AND user_type = '') AS s ON s.is_idle = g.is_idle
WHERE g.is_idle IN (SELECT is_idle FROM leaving)
  AND CASE WHEN base < 20 THEN found >= 5 OR (found >= 2 AND found * 2 > base)
           ELSE found >= 5 AND found * 100 > base * 15 END
ORDER BY subject
