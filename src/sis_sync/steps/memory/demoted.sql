-- In:  roster, broken_cells, found_pairs, lately.
-- Out: demoted: one row per pair that is judged like all other rows after all, because another row has its custom ID
--        (leading zeros do not count) or its address, or is broken and has its ID in a cell, or because policy changed
--        its account in the last 7 days.
-- An account that only a first import created stays in its pair: the guards count such accounts in paired_accounts.
-- Only hashes are compared. If two texts have the same hash, a pair is judged like all other rows without need.
CREATE TEMP TABLE demoted AS
SELECT line, account_id FROM found_pairs
WHERE id_hash IN (
  SELECT hash(without_zeros(custom_id)) FROM roster UNION SELECT hash(without_zeros(cell)) FROM broken_cells)
UNION
SELECT line, account_id FROM found_pairs WHERE email_hash IN (SELECT hash(fold(email)) FROM roster)
UNION
SELECT line, account_id FROM found_pairs
WHERE account_id IN (
  SELECT CAST(account_id AS BIGINT) FROM lately
  WHERE NOT is_import OR left_lately OR has_arrived OR was_enabled OR has_new_address OR has_new_name OR has_new_org
    OR has_new_type OR base_org IS NOT NULL OR base_type IS NOT NULL)
