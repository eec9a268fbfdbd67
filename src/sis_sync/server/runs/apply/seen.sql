-- DuckDB. In: what the plan saw of each account that it changes (:seen).
-- Out: one row per such account, as it must still stand.
SELECT
  CAST(account_id AS BIGINT) AS account_id,
  first_name, middle_name, last_name, email, custom_id, school_district_external_id, user_type, position, grade, status,
  lower(email) AS address
FROM read_parquet(:seen)
