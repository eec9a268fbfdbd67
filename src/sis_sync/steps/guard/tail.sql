-- The last people of the previous file are absent: this file was cut off at a line end. Only accounts that could leave
-- count, in the order of the previous file. At least 5 of the last ones are absent, or fewer if no one else is absent.
WITH candidates AS (
  SELECT r.line, r.custom_id, r.custom_id IN (SELECT custom_id FROM absent) AS is_absent
  FROM previous_rows AS r
  JOIN accounts AS a ON a.custom_id = r.custom_id AND NOT a.is_deleted AND a.in_scope AND a.user_type IN :mode_types
  WHERE r.custom_id IN (SELECT custom_id FROM absent) OR r.custom_id IN (SELECT custom_id FROM present)
),
tail AS (
  SELECT line, custom_id FROM candidates
  WHERE line > coalesce((SELECT max(line) FROM candidates WHERE NOT is_absent), 0)
)
SELECT 'for example ID ' || example AS subject, found, (SELECT count(*) FROM absent) AS base, '0' AS bound
FROM
  (SELECT count(*) AS found FROM tail) AS counted,
  (
    SELECT string_agg(custom_id, ', ' ORDER BY line) AS example
    FROM (SELECT line, custom_id FROM tail ORDER BY line LIMIT 3)
  ) AS shown
WHERE found > 0 AND (found >= 5 OR found = (SELECT count(*) FROM absent))
