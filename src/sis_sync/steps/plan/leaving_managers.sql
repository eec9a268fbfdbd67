-- In:  people, failed, ignored, absent, accounts.
-- Out: leaving_managers: one row per active manager of the district whose account would be disabled or leave.
CREATE TEMP TABLE leaving_managers AS
SELECT a.custom_id, p.line
FROM accounts AS a
LEFT JOIN (
  SELECT custom_id, line FROM people
  WHERE status = 'Disabled' AND NOT line IN (SELECT line FROM failed) AND NOT line IN (SELECT line FROM ignored)
) AS p ON p.custom_id = a.custom_id
WHERE a.rights = 'district' AND a.status = 'Active' AND NOT a.is_deleted AND a.custom_id <> ''
  AND (p.line IS NOT NULL OR a.custom_id IN (SELECT custom_id FROM absent))
