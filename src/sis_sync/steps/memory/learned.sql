-- In:  people, findings, ignored, accounts, plain_hashes, unpaired_accounts.
-- Out: learned: one row per row of the file that changes nothing and has no finding: the hashes of its line, its ID and
--        its address.
-- Some rows are left out, because a guard or another rule must see them every time: those of accounts with rights, a
-- hold, protection or edited names, those with an ID that a spreadsheet could have written, and those with an @ in a
-- value other than the address. An account whose stored values a plan reads in another form is left out too.
CREATE TEMP VIEW learned AS
SELECT k.account_id, k.custom_id, t.front_hash, t.back_hash, hash(without_zeros(k.custom_id)) AS id_hash,
  hash(p.email_key) AS email_hash
FROM people AS p
JOIN plain_hashes AS t ON t.line = p.line
JOIN accounts AS a ON a.custom_id = p.custom_id
JOIN unpaired_accounts AS k ON k.account_id = CAST(a.account_id AS BIGINT)
WHERE p.is_same AND p.has_id AND NOT p.line IN (SELECT line FROM findings) AND NOT p.line IN (SELECT line FROM ignored)
  AND a.in_scope AND a.rights = '' AND a.edited_names = ''
  AND NOT a.is_deleted AND NOT a.is_protected AND NOT a.is_held_by_hand
  AND length(p.custom_id) <= 15 AND NOT p.custom_id LIKE '%+%' AND NOT concat(p.first_name, p.middle_name, p.last_name,
    p.custom_id, p.school_district_external_id) LIKE '%@%'
  AND k.first_name = p.first_name AND k.middle_name = p.middle_name AND k.last_name = p.last_name
  AND fold(k.email) = p.email_key AND k.custom_id = p.custom_id
  AND k.school_district_external_id = p.school_district_external_id
  AND k.user_type = p.user_type AND a.position = p.position AND a.grade = p.grade AND k.status = p.status
