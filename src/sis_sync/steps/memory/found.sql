-- In:  plain_hashes, known_pairs.
-- Out: found_pairs: one row per line of the file whose hashes belong to an account.
-- Runs on DuckDB only, like every .sql of this step.
CREATE OR REPLACE TEMP TABLE found_pairs AS
SELECT t.line, k.account_id, k.custom_id, k.id_hash, k.email_hash
FROM plain_hashes AS t
JOIN known.known_pairs AS k ON k.front_hash = t.front_hash AND k.back_hash = t.back_hash
