-- In:  found_pairs, known_pairs, lately.
-- Out: pairs, pair_totals, paired_accounts: see directory.sql.
CREATE TEMP VIEW pairs AS
SELECT f.line, k.custom_id, k.first_name, k.middle_name, k.last_name
FROM found_pairs AS f JOIN known.known_pairs AS k ON k.account_id = f.account_id;

CREATE OR REPLACE TEMP TABLE pair_totals AS
SELECT count(*) AS people, coalesce(max(line), 0) AS last_line FROM found_pairs;

CREATE OR REPLACE TEMP TABLE paired_accounts AS
SELECT f.org, f.user_type, f.status, l.account_id IS NOT NULL AS is_import, count(*) AS accounts
FROM found_pairs AS f LEFT JOIN lately AS l ON CAST(l.account_id AS BIGINT) = f.account_id
GROUP BY ALL
