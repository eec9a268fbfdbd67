-- At least 5 absent accounts, and at least half of them, return as new rows with the same names and org: the SIS
-- gave out new IDs. Each new row replaces one namesake at most, so the smaller of the two numbers counts.
WITH leavers AS (
  SELECT * FROM accounts WHERE custom_id IN (SELECT custom_id FROM absent)
),
-- If a person edited names here, those that the SIS had count, unless a new row has the edited ones.
edited AS (
  SELECT * FROM name_edits
  WHERE NOT custom_id IN (
    SELECT a.custom_id FROM leavers AS a
    JOIN arriving AS n ON n.first_name = a.first_name AND n.middle_name = a.middle_name
      AND n.last_name = a.last_name AND n.org = a.school_district_external_id)
),
gone AS (
  SELECT first_name, middle_name, last_name, org, count(*) AS people, min(custom_id) AS custom_id
  FROM (
    SELECT a.custom_id, coalesce(e.first_name, a.first_name) AS first_name,
      coalesce(e.middle_name, a.middle_name) AS middle_name, coalesce(e.last_name, a.last_name) AS last_name,
      a.school_district_external_id AS org
    FROM leavers AS a LEFT JOIN edited AS e ON e.custom_id = a.custom_id
  ) AS named
  GROUP BY first_name, middle_name, last_name, org
),
arrived AS (
  SELECT first_name, middle_name, last_name, org, count(*) AS people, min(custom_id) AS custom_id
  FROM arriving GROUP BY first_name, middle_name, last_name, org
),
renumbered AS (
  SELECT g.custom_id, c.custom_id AS new_id, CASE WHEN c.people < g.people THEN c.people ELSE g.people END AS people
  FROM gone AS g
  JOIN arrived AS c ON c.first_name = g.first_name AND c.middle_name = g.middle_name
    AND c.last_name = g.last_name AND c.org = g.org
)
SELECT 'for example ' || example AS subject, found, base, '50 %' AS bound
FROM
  (SELECT CAST(sum(people) AS BIGINT) AS found FROM renumbered) AS counted,
  (SELECT count(*) AS base FROM absent) AS total,
  (
    SELECT string_agg(custom_id || ' as ' || new_id, ', ' ORDER BY custom_id) AS example
    FROM (SELECT custom_id, new_id FROM renumbered ORDER BY custom_id LIMIT 3)
  ) AS shown
WHERE found >= 5 AND found * 2 >= base
