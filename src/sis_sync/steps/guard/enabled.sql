-- Within 7 days, more than 5 % of the accounts, and at least 5, go from Disabled to Active. If there are fewer than 20
-- accounts, the percentage does not count.
WITH enabled AS (
  SELECT custom_id FROM changed WHERE action = 'update' AND old_status = 'Disabled' AND status = 'Active'
),
with_earlier AS (
  SELECT custom_id FROM enabled
  UNION
  SELECT a.custom_id FROM accounts AS a JOIN lately AS l ON l.account_id = a.account_id
  WHERE l.was_enabled AND a.in_scope AND a.user_type IN :mode_types
)
SELECT '' AS subject, found, base, CASE WHEN base < 20 THEN '4' ELSE '5 %' END AS bound
FROM (SELECT count(*) AS found FROM with_earlier) AS counted,
  (SELECT count(*) AS now FROM enabled) AS of_this_run,
  totals
WHERE now > 0 AND found >= 5 AND (base < 20 OR found * 100 > base * 5)
