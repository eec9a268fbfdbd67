-- DuckDB. In: the plan file (:plan). Out: one row per absent account that comes back as a new row with the same names
-- and org, under another custom ID: both IDs. One pair at most for each of them.
SELECT gone.account_id, gone.custom_id AS old_id, arrived.custom_id AS new_id, arrived.line,
  concat_ws(' ', nullif(gone.old_first_name, ''), nullif(gone.old_middle_name, ''), nullif(gone.old_last_name, ''))
    AS person
FROM (SELECT * FROM read_parquet(:plan) WHERE action IN ('delete', 'disable')) AS gone
JOIN (SELECT * FROM read_parquet(:plan) WHERE action = 'create') AS arrived
  ON lower(arrived.first_name) = lower(gone.old_first_name) AND lower(arrived.last_name) = lower(gone.old_last_name)
  AND lower(arrived.middle_name) = lower(gone.old_middle_name)
  AND arrived.school_district_external_id = gone.old_school_district_external_id
QUALIFY row_number() OVER (PARTITION BY gone.custom_id ORDER BY arrived.line) = 1
ORDER BY arrived.line
