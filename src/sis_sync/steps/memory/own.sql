-- In:  left_accounts, plain_hashes, orgs_read, found_pairs.
-- Out: own_lines: one row per account with a line of its own, with the hashes of it: its values in the order of the
--        file. It has only accounts whose own line certainly has no finding and changes nothing. This is stricter than
--        the rules, which judge all other lines;
--      found_pairs: gains the lines of the file that are the own line of an account.
-- Left accounts are those that no line has found yet.
-- An address of up to 64 characters has no label in its domain that is too long.
CREATE OR REPLACE TEMP TABLE own_lines AS
SELECT account_id, custom_id, hash(:salt || text) AS front_hash, hash(text || :salt) AS back_hash,
  hash(without_zeros(custom_id)) AS id_hash, hash(fold(email)) AS email_hash
FROM (SELECT *, :own_text AS text FROM left_accounts) AS a
WHERE state IN ('', 'live') AND protected = '' AND held_by_hand = '' AND rights = '' AND in_scope IN ('', 'yes')
  AND edited_names = ''
  AND user_type IN :mode_types AND status IN :statuses
  AND CASE user_type WHEN 'Student' THEN position = '' AND grade IN :grades ELSE grade = '' END
  AND length(first_name) <= :first_name_max AND length(middle_name) <= :middle_name_max
  AND length(last_name) <= :last_name_max AND length(position) <= :position_max
  AND length(email) <= 64 AND length(custom_id) <= 15
  AND NOT first_name IN :words AND NOT middle_name IN :words AND NOT last_name IN :words
  AND NOT :is_placeholder
  AND matches(text, :pattern)
  AND school_district_external_id IN (SELECT external_id FROM orgs_read WHERE in_scope <> 'no');

INSERT INTO found_pairs
SELECT t.line, o.account_id, o.custom_id, o.id_hash, o.email_hash
FROM plain_hashes AS t JOIN own_lines AS o ON o.front_hash = t.front_hash AND o.back_hash = t.back_hash
WHERE NOT EXISTS (SELECT 1 FROM found_pairs AS f WHERE f.line = t.line)
