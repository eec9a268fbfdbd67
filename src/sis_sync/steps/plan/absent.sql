-- In:  people, broken_cells, accounts, lost_zeros, cut_rows.
-- Out: present: the custom IDs in the file, of valid rows and of others, repeated as often as they occur, and those
--        that may have lost their leading zeros in it;
--      absent: one row per managed account that is not in the file.
-- A row that the mapping leaves out is not present. A protected account is never absent.
CREATE TEMP TABLE present AS
SELECT custom_id FROM people WHERE NOT is_skipped AND custom_id <> ''
UNION ALL
SELECT cell FROM broken_cells
UNION ALL
SELECT known FROM lost_zeros
WHERE is_same_kind AND custom_id IN (SELECT custom_id FROM cut_rows WHERE fails);

CREATE TEMP TABLE absent AS
SELECT account_id, custom_id, :on_absent AS action
FROM accounts
WHERE :judges_absence AND custom_id <> '' AND NOT is_deleted AND NOT is_protected AND in_scope
  AND user_type IN :mode_types
  AND NOT (:on_absent = 'disable' AND status = 'Disabled')
  AND NOT EXISTS (SELECT 1 FROM present AS p WHERE p.custom_id = accounts.custom_id)
