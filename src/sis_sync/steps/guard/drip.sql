-- Within 7 days, more than 15 % of the accounts, and at least 5, leave: those of earlier runs that have not
-- returned, and those of this run, each counted once. If there are fewer than 20 accounts, 5 of them, or more than
-- half and at least 2. Accounts that were Disabled are counted apart, against the Disabled ones. Judged for the mode
-- and for the whole school system.
WITH gone AS (
  SELECT custom_id, is_idle, TRUE AS is_of_mode FROM leaving
  UNION ALL
  SELECT a.custom_id, coalesce(l.base_status = 'Disabled', FALSE),
    coalesce(b.is_of_mode, FALSE) OR (a.in_scope AND a.user_type IN :mode_types)
  FROM accounts AS a
  JOIN lately AS l ON l.account_id = a.account_id
  LEFT JOIN base AS b ON b.custom_id = a.custom_id
  WHERE l.left_lately AND a.custom_id <> '' AND (a.is_deleted OR a.status = 'Disabled')
    AND NOT a.custom_id IN (SELECT custom_id FROM changed WHERE status = 'Active')
    AND NOT a.custom_id IN (SELECT custom_id FROM leaving)
),
judged AS (
  SELECT is_idle, is_all, CASE WHEN is_all THEN of_all ELSE of_mode END AS found,
    CASE WHEN is_idle THEN idle ELSE base END AS base
  FROM (
    SELECT is_idle, count(*) AS of_all, count(*) FILTER (WHERE is_of_mode) AS of_mode FROM gone GROUP BY is_idle
  ) AS counted, totals
)
SELECT subject, found, base, bound
FROM (
  SELECT CASE WHEN is_idle THEN 'that were Disabled' ELSE '' END AS subject, found, base,
    CASE WHEN base < 20 AND found < 5 THEN '50 %' WHEN base < 20 THEN '4' ELSE '15 %' END AS bound,
    row_number() OVER (PARTITION BY is_idle ORDER BY is_all) AS place
  FROM judged
  WHERE is_idle IN (SELECT is_idle FROM leaving)
    AND CASE WHEN base < 20 THEN found >= 5 OR (found >= 2 AND found * 2 > base)
             ELSE found >= 5 AND found * 100 > base * 15 END
) AS over_the_limit
WHERE place = 1
ORDER BY subject
