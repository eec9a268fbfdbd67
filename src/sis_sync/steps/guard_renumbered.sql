-- Absent accounts come back as new rows with the same names and org: the SIS gave out new IDs.
WITH renumbered AS (
  SELECT a.custom_id, min(p.custom_id) AS new_id
  FROM accounts AS a
  JOIN arriving AS p ON p.first_name = a.first_name AND p.middle_name = a.middle_name
    AND p.last_name = a.last_name AND p.org = a.school_district_external_id
  WHERE a.custom_id IN (SELECT custom_id FROM absent)
  GROUP BY a.custom_id
)
SELECT 'for example ' || example AS subject, found, base, '50 %' AS bound
FROM
  (SELECT count(*) AS found FROM renumbered) AS counted,
  (SELECT count(*) AS base FROM absent) AS total,
  (
    SELECT string_agg(custom_id || ' as ' || new_id, ', ' ORDER BY custom_id) AS example
    FROM (SELECT custom_id, new_id FROM renumbered ORDER BY custom_id LIMIT 3)
  ) AS shown
WHERE base >= :renumbered AND found * 2 >= base
