-- DuckDB. In: a stored plan (:plan), the actions that touch an account (:changing), user types (:types).
-- Out: the number of people of these types that the plan changes.
SELECT count(*) FROM read_parquet(:plan)
WHERE action IN :changing AND (user_type IN :types OR old_user_type IN :types)
