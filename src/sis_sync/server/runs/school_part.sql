-- DuckDB. In: a plan file (:plan), external IDs (:schools), whether the run is applied (:is_applied).
-- Out: the rows of the plan about people of these schools. People who arrive from elsewhere are theirs once it is
--      applied, and a failed row for someone of another school never is.
SELECT * FROM read_parquet(:plan)
WHERE action IN ('create', 'update', 'restore', 'delete', 'disable', 'failed')
  AND (old_school_district_external_id IN :schools
    OR (school_district_external_id IN :schools
      AND CASE action WHEN 'create' THEN TRUE WHEN 'failed' THEN old_custom_id = '' ELSE :is_applied END))
