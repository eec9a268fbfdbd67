-- Within 7 days, more than 5 % of the accounts, and at least 5, go from Disabled to Active, also by way of a deletion.
-- If there are fewer than 20 accounts, the percentage does not count. Judged for the mode and for the whole school
-- system.
WITH enabled AS (
  SELECT custom_id FROM changed WHERE action = 'update' AND old_status = 'Disabled' AND status = 'Active'
  UNION
  SELECT c.custom_id FROM changed AS c JOIN base AS b ON b.custom_id = c.custom_id
  WHERE c.action = 'restore' AND c.status = 'Active' AND b.is_idle
),
with_earlier AS (
  SELECT custom_id, bool_or(is_of_mode) AS is_of_mode
  FROM (
    SELECT custom_id, TRUE AS is_of_mode FROM enabled
    UNION ALL
    SELECT a.custom_id, a.in_scope AND a.user_type IN :mode_types
    FROM accounts AS a JOIN lately AS l ON l.account_id = a.account_id
    WHERE a.custom_id <> ''
      AND (l.was_enabled OR (l.has_arrived AND coalesce(l.base_status, '') = 'Disabled' AND a.status = 'Active'))
  ) AS each_time
  GROUP BY custom_id
)
SELECT '' AS subject, found, base, bound
FROM (
  SELECT is_all, CASE WHEN is_all THEN of_all ELSE of_mode END AS found, base,
    CASE WHEN base < 20 THEN '4' ELSE '5 %' END AS bound
  FROM (SELECT count(*) AS of_all, count(*) FILTER (WHERE is_of_mode) AS of_mode FROM with_earlier) AS counted, totals
) AS judged
WHERE (SELECT count(*) FROM enabled) > 0 AND found >= 5 AND (base < 20 OR found * 100 > base * 5)
ORDER BY is_all
LIMIT 1
