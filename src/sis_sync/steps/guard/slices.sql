-- In:  base, leaving.
-- Out: slices: one row for all, for each org, each user type, and each user type within each org, once for accounts
--        that were Active and once for idle ones: how many are in base, how many leave, how many of those are not in
--        base.
CREATE TEMP TABLE slices AS
SELECT is_idle, coalesce(org, '') AS org, coalesce(user_type, '') AS user_type,
  count(*) FILTER (WHERE stands) AS base, count(*) FILTER (WHERE NOT stands) AS leaving,
  count(*) FILTER (WHERE is_extra) AS extra
FROM (
  SELECT is_idle, org, user_type, TRUE AS stands, FALSE AS is_extra FROM base WHERE is_of_mode
  UNION ALL
  SELECT is_idle, org, user_type, FALSE, is_extra FROM leaving
) AS each_account
GROUP BY GROUPING SETS ((is_idle), (is_idle, org), (is_idle, user_type), (is_idle, org, user_type))
