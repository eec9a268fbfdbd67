-- Absent accounts come back as new rows with the same names and org: the SIS gave out new IDs.
SELECT 'for example ' || min(custom_id) AS subject, count(*) AS found, (SELECT count(*) FROM absent) AS base, '50 %' AS bound
FROM accounts AS a
WHERE a.custom_id IN (SELECT custom_id FROM absent)
  AND EXISTS (
    SELECT 1 FROM arriving AS p
    WHERE p.first_name = a.first_name AND p.middle_name = a.middle_name
      AND p.last_name = a.last_name AND p.org = a.school_district_external_id)
HAVING (SELECT count(*) FROM absent) >= :renumbered AND count(*) * 2 >= (SELECT count(*) FROM absent)
