-- DuckDB. In: a new plan of a file whose passwords were taken out (:plan), an earlier plan of the same file (:earlier).
-- Out: the new plan; a row that creates an account has the password hash that the earlier plan had for it.
SELECT p.* REPLACE (
  CASE WHEN p.action = 'create' AND p.password_hash = '' THEN coalesce(e.password_hash, '') ELSE p.password_hash END
    AS password_hash)
FROM read_parquet(:plan) p
LEFT JOIN read_parquet(:earlier) e ON e.line = p.line AND e.custom_id = p.custom_id
ORDER BY p.line NULLS LAST, p.custom_id
