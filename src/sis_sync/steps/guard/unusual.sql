-- The newcomers (created and restored), updates or leavers are more than 5 times as many as in any of the last 30
-- applied runs of the mode, and at least 20. Judged from 10 such runs on.
SELECT subject, found, most AS base, CAST(most * 5 AS STRING) AS bound
FROM (
  SELECT 1 AS place, 'be created or restored' AS subject, :most_new AS most, count(*) AS found
  FROM plan WHERE action IN ('create', 'restore')
  UNION ALL SELECT 2, 'be changed', :most_changed, count(*) FROM plan WHERE action = 'update'
  UNION ALL SELECT 3, 'leave', :most_leaving, count(*) FROM leaving
) AS counted
WHERE :knows_runs AND found >= 20 AND found > most * 5
ORDER BY place
