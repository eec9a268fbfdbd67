-- DuckDB. In: the accounts that the plan changes, as they were at planning (:seen).
-- Out: one row per account, with the values that it must still have.
SELECT
  CAST(account_id AS BIGINT) AS account_id,
  first_name, middle_name, last_name, email, custom_id, school_district_external_id, user_type, position, grade, status,
  lower(email) AS address, is_held_by_hand
FROM read_parquet(:seen)
