-- DuckDB. In: the plan file (:plan). Out: the number of rows that change one of these accounts, create an account under
-- one of these custom IDs, or assign one of these addresses to another account.
SELECT count(*) FROM read_parquet(:plan)
WHERE action IN ('create', 'update', 'restore', 'delete', 'disable', 'unchanged') AND (
  account_id IN :accounts
  OR (action = 'create' AND custom_id IN :custom_ids)
  OR (action IN ('create', 'update', 'restore') AND email <> '' AND lower(email) <> lower(old_email)
      AND lower(email) IN :addresses)
)
