-- In:  plan, ignored, findings.
-- Out: told_rows: one row per record of the file: line, action, custom_id. No absent account has one.
--      told_findings: all findings, without the names of other accounts and without values that the file does not have.
CREATE OR REPLACE TEMP TABLE told_rows AS
SELECT line, custom_id, action FROM plan WHERE line IS NOT NULL;

CREATE OR REPLACE TEMP TABLE told_findings AS
SELECT line, code, value,
  CASE WHEN code IN :naming_codes THEN :other_account WHEN code IN :keeping_codes THEN :own_value ELSE other END
    AS other,
  is_error, made_by
FROM (
  SELECT line, code, value, other, is_error, made_by FROM findings
  UNION ALL SELECT line, code, value, other, FALSE, '' FROM ignored
) AS found
