-- DuckDB. In: a new plan of a file whose passwords were removed (:plan), an earlier plan of the same file (:earlier).
-- Out: the new plan, with the password hashes of the earlier plan in the rows that create accounts.
SELECT p.* REPLACE (
  CASE WHEN p.action = 'create' AND p.password_hash = '' THEN coalesce(e.password_hash, '') ELSE p.password_hash END
    AS password_hash)
FROM read_parquet(:plan) p
LEFT JOIN read_parquet(:earlier) e ON e.line = p.line AND e.custom_id = p.custom_id
ORDER BY p.line NULLS LAST, p.custom_id
