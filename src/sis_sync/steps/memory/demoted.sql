-- In:  roster, broken_cells, known_accounts, found_pairs, lately.
-- Out: demoted: one row per pair that is judged like all other rows after all, because another row has its custom ID
--        (leading zeros do not count) or its address, or is broken and has its ID in a cell, or because policy changed
--        its account in the last 7 days.
-- An account that only a first import created stays in its pair: the guards count such accounts in paired_accounts.
CREATE TEMP TABLE left_rows AS
SELECT without_zeros(custom_id) AS id_key, fold(email) AS email_key FROM roster
UNION ALL
SELECT without_zeros(cell), NULL FROM broken_cells;

CREATE TEMP TABLE demoted AS
SELECT f.line
FROM found_pairs AS f
JOIN (
  SELECT k.account_id
  FROM known.known_accounts AS k JOIN (SELECT DISTINCT id_key FROM left_rows) AS r
    ON r.id_key = without_zeros(k.custom_id)
  UNION
  SELECT k.account_id
  FROM known.known_accounts AS k JOIN (SELECT DISTINCT email_key FROM left_rows) AS r ON r.email_key = fold(k.email)
  UNION
  SELECT CAST(account_id AS BIGINT) FROM lately
  WHERE NOT is_import OR left_lately OR has_arrived OR was_enabled OR has_new_address OR has_new_name OR has_new_org
    OR has_new_type OR base_org IS NOT NULL OR base_type IS NOT NULL
) AS a ON a.account_id = f.account_id
