-- In:  base, leaving, paired_accounts.
-- Out: slices: one row for all, for each org, each user type, and each user type within each org, once for accounts
--        that were Active and once for idle ones: how many are in base, how many leave, how many of those are not in
--        base.
CREATE TEMP TABLE slices AS
SELECT is_idle, coalesce(org, '') AS org, coalesce(user_type, '') AS user_type,
  CAST(sum(base) AS BIGINT) AS base, CAST(sum(leaving) AS BIGINT) AS leaving, CAST(sum(extra) AS BIGINT) AS extra
FROM (
  SELECT is_idle, org, user_type, 1 AS base, 0 AS leaving, 0 AS extra FROM base WHERE is_of_mode
  UNION ALL
  SELECT is_idle, org, user_type, 0, 1, CASE WHEN is_extra THEN 1 ELSE 0 END FROM leaving
  UNION ALL
  SELECT status = 'Disabled', org, user_type, accounts, 0, 0 FROM paired_accounts
) AS each_account
GROUP BY GROUPING SETS ((is_idle), (is_idle, org), (is_idle, user_type), (is_idle, org, user_type))
