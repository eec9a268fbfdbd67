-- In:  found_pairs, known_accounts, lately.
-- Out: pairs, pair_totals, paired_accounts: see directory.sql.
CREATE TEMP VIEW pairs AS
SELECT f.line, k.custom_id, k.first_name, k.middle_name, k.last_name
FROM found_pairs AS f JOIN known.known_accounts AS k ON k.account_id = f.account_id;

CREATE OR REPLACE TEMP TABLE pair_totals AS
SELECT count(*) AS people, coalesce(max(line), 0) AS last_line FROM found_pairs;

CREATE OR REPLACE TEMP TABLE paired_accounts AS
SELECT k.school_district_external_id AS org, k.user_type, k.status, l.account_id IS NOT NULL AS is_import,
  count(*) AS accounts
FROM known.known_accounts AS k
LEFT JOIN lately AS l ON CAST(l.account_id AS BIGINT) = k.account_id
WHERE k.account_id IN (SELECT account_id FROM found_pairs)
GROUP BY ALL
