-- DuckDB. In: the plan file (:plan), name_edits. Out: one row per absent account that comes back as a new row with the
-- same names and org, under another custom ID: both IDs. If a person edited its names here, those that the SIS had
-- count too. One pair at most for each of them.
WITH gone AS (
  SELECT account_id, custom_id, old_first_name, old_middle_name, old_last_name, old_school_district_external_id AS org
  FROM read_parquet(:plan) WHERE action IN ('delete', 'disable')
),
named AS (
  SELECT custom_id, lower(old_first_name) AS first_name, lower(old_middle_name) AS middle_name,
    lower(old_last_name) AS last_name, FALSE AS is_of_sis
  FROM gone
  UNION ALL
  SELECT g.custom_id, lower(coalesce(e.first_name, g.old_first_name)),
    lower(coalesce(e.middle_name, g.old_middle_name)), lower(coalesce(e.last_name, g.old_last_name)), TRUE
  FROM gone AS g JOIN name_edits AS e ON e.custom_id = g.custom_id
)
SELECT gone.account_id, gone.custom_id AS old_id, arrived.custom_id AS new_id, arrived.line,
  concat_ws(' ', nullif(gone.old_first_name, ''), nullif(gone.old_middle_name, ''), nullif(gone.old_last_name, ''))
    AS person
FROM gone
JOIN named ON named.custom_id = gone.custom_id
JOIN (SELECT * FROM read_parquet(:plan) WHERE action = 'create') AS arrived
  ON lower(arrived.first_name) = named.first_name AND lower(arrived.middle_name) = named.middle_name
  AND lower(arrived.last_name) = named.last_name AND arrived.school_district_external_id = gone.org
QUALIFY row_number() OVER (PARTITION BY gone.custom_id ORDER BY named.is_of_sis, arrived.line) = 1
ORDER BY arrived.line
