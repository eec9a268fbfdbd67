-- DuckDB. In: stored plans (:plans), the actions that touch an account (:changing), the changed and the unchanged
-- rows of another plan (:changed, :unchanged).
-- Out: the number of people that the plans change and the other plan names.
SELECT count(*) FROM read_parquet(list_value :plans)
WHERE action IN :changing AND custom_id IN (
  SELECT custom_id FROM read_parquet(:changed) WHERE action IN ('create', 'update', 'restore', 'unchanged')
  UNION ALL
  SELECT custom_id FROM read_parquet(:unchanged)
)
