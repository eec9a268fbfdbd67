-- DuckDB. In: the plan file (:plan), the ID before the first new account (:before_first).
-- Out: one row per account to create, with the same ID as in newcomers.sql: its line, and whether it brings a password.
SELECT :before_first + row_number() OVER (ORDER BY file_row_number) AS id, line, brings_password
FROM read_parquet(:plan, file_row_number = true)
WHERE action = 'create'
ORDER BY file_row_number
