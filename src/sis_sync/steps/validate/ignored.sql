-- In:  people, accounts, broken, cut_rows, kept_values.
-- Out: ignored: one row per row that does not count: its line, the code of the reason, the line that counts instead;
--      repeated: one row per row whose custom ID occurs more than once, with data_key (all data except the org) and
--        name_key (first and last name).
CREATE TEMP TABLE ignored AS
SELECT line, 'row.skipped' AS code, custom_id AS value, '' AS other FROM people WHERE is_skipped
UNION ALL
SELECT line, codes, '', '' FROM broken WHERE codes = 'row.footer'
UNION ALL
SELECT line, 'account.protected', custom_id, '' FROM people WHERE is_protected AND NOT is_skipped
UNION ALL
SELECT line, 'account.held_by_hand', custom_id, '' FROM people
WHERE is_held_by_hand AND NOT is_protected AND NOT is_skipped
UNION ALL
SELECT p.line, 'account.kept_active', p.custom_id, '' FROM people AS p JOIN accounts AS a ON a.custom_id = p.custom_id
WHERE :keeps_everyone AND a.status = 'Active' AND a.in_scope AND NOT a.is_deleted AND p.has_id AND p.status = 'Disabled'
  AND NOT p.is_held_by_hand AND NOT p.is_protected AND NOT p.is_skipped
UNION ALL
SELECT line, 'row.not_created', custom_id, '' FROM people
WHERE NOT :creates_disabled AND status = 'Disabled' AND has_id AND (NOT is_known OR is_deleted)
  AND NOT is_skipped AND NOT is_protected AND NOT is_held_by_hand
  AND NOT line IN (SELECT line FROM cut_rows WHERE fails);

-- A row with a cell that does not decode (NULL) equals no other row, because its data are unknown. Values of the file
-- that an account does not take count too: two people with one ID differ in them.
CREATE TEMP TABLE repeated AS
SELECT
  line, custom_id, coalesce(school_district_external_id, '') AS org,
  choice, coalesce(status = 'Active', FALSE) AS is_active,
  coalesce(first_name || chr(31) || last_name, chr(31) || CAST(line AS STRING)) || coalesce(k.names, '') AS name_key,
  concat_ws(chr(31), coalesce(first_name, ''), coalesce(middle_name, ''), coalesce(last_name, ''),
    coalesce(email_key, ''), coalesce(user_type, ''), coalesce(position, ''), coalesce(grade, ''),
    coalesce(status, ''),
    CASE WHEN (first_name || middle_name || last_name || email_key || school_district_external_id || user_type
      || position || grade || status) IS NULL THEN CAST(line AS STRING) END, k.given) AS data_key
FROM people LEFT JOIN (
  SELECT line AS kept_line, string_agg(value, '' ORDER BY field) AS given,
    string_agg(CASE WHEN field IN ('first_name', 'last_name') THEN value END, '' ORDER BY field) AS names
  FROM (SELECT line, field, chr(31) || field || chr(31) || given AS value FROM kept_values) AS named
  WHERE field <> 'school_district_external_id' GROUP BY line
) AS k ON k.kept_line = people.line
WHERE has_id AND NOT line IN (SELECT line FROM ignored)
  AND custom_id IN (SELECT custom_id FROM people WHERE has_id GROUP BY custom_id HAVING count(*) > 1)
