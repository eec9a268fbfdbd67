-- In:  found_pairs, known_accounts, unpaired_accounts, lately.
-- Out: pairs, pair_totals, paired_accounts: see directory.sql.
CREATE TEMP VIEW pairs AS SELECT line, custom_id FROM found_pairs;

CREATE OR REPLACE TEMP TABLE pair_totals AS
SELECT count(*) AS people, coalesce(max(line), 0) AS last_line FROM found_pairs;

-- All accounts but those that are in no pair. These are few on most nights, so that no pair is looked up.
CREATE OR REPLACE TEMP TABLE paired_accounts AS
SELECT org, user_type, status, is_import, CAST(sum(number) AS BIGINT) AS accounts
FROM (
  SELECT k.school_district_external_id AS org, k.user_type, k.status, l.account_id IS NOT NULL AS is_import,
    count(*) AS number
  FROM known.known_accounts AS k LEFT JOIN lately AS l ON CAST(l.account_id AS BIGINT) = k.account_id
  GROUP BY ALL
  UNION ALL
  SELECT k.school_district_external_id, k.user_type, k.status, l.account_id IS NOT NULL, -count(*)
  FROM unpaired_accounts AS k LEFT JOIN lately AS l ON CAST(l.account_id AS BIGINT) = k.account_id
  GROUP BY ALL
) AS counted
GROUP BY org, user_type, status, is_import
HAVING sum(number) > 0
