-- DuckDB. In: the plan file (:plan), the orgs that rows may name (named_orgs), the ID before the first new account
--   (:before_first), and the start of all passwords (:password).
-- Out: one row per account to create, in the order of the file, with the columns of COLUMNS in newcomers.py. The org is
--   NULL if the row may not name it; then the database refuses the row.
-- A hash that starts with ! matches no password. The rest is different for each account. A job sets passwords later.
SELECT
  :before_first + row_number() OVER (ORDER BY file_row_number) AS id, o.org_id,
  first_name, middle_name, last_name, email, custom_id, user_type, position, grade, status,
  :password || file_row_number AS password
FROM read_parquet(:plan, file_row_number = true) AS p
LEFT JOIN named_orgs AS o ON o.external_id = p.school_district_external_id
WHERE action = 'create'
ORDER BY file_row_number
