-- In:  plan, roster, ignored, findings.
-- Out: told_rows: one row per record of the file: line, action, custom_id. No absent account has one.
--      told_findings: all findings, without the names of other accounts and without values that the file does not have.
CREATE OR REPLACE TEMP TABLE told_rows AS
SELECT line, custom_id, action FROM plan WHERE line IS NOT NULL;

-- Addresses and names are judged as they would be stored. Those that an account keeps (is_own) are not in its row.
CREATE OR REPLACE TEMP TABLE told_findings AS
SELECT line, code, CASE WHEN is_own THEN :own_value ELSE value END AS value,
  CASE WHEN code IN :naming_codes THEN :other_account
       WHEN is_own OR code IN :keeping_codes THEN :own_value
       ELSE other END AS other,
  is_error, made_by
FROM (
  SELECT f.*, coalesce(f.code IN :judged_as_stored
    AND NOT f.value IN (r.first_name, r.middle_name, r.last_name, r.email), FALSE) AS is_own
  FROM (
    SELECT line, code, value, other, is_error, made_by FROM findings
    UNION ALL SELECT line, code, value, other, FALSE, '' FROM ignored
  ) AS f LEFT JOIN roster AS r ON r.line = f.line
) AS found
