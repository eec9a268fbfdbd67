-- In:  plan, ignored, findings.
-- Out: told_rows: one row per record that was ignored or failed: line, action, custom_id. All others are taken;
--      told_findings: what the file alone decides, and row.ask_a_manager for each row that fails because of an account.
-- No row of `ignored` may have a reason that the accounts decide.
CREATE OR REPLACE TEMP TABLE told_findings AS
SELECT line, code, value, other FROM findings WHERE code IN :decided_by_file
UNION ALL SELECT line, code, value, other FROM ignored;

CREATE OR REPLACE TEMP TABLE told_rows AS
SELECT line, custom_id, action, fails_by_file
FROM (
  SELECT p.line, p.custom_id, f.line IS NOT NULL AS fails_by_file,
    CASE WHEN i.line IS NOT NULL THEN 'ignored'
         WHEN f.line IS NOT NULL OR p.action = 'failed' THEN 'failed' END AS action
  FROM plan AS p
  LEFT JOIN ignored AS i ON i.line = p.line
  LEFT JOIN (SELECT DISTINCT line FROM told_findings WHERE code IN :errors) AS f ON f.line = p.line
  WHERE p.line IS NOT NULL
) AS judged
WHERE action IS NOT NULL;

INSERT INTO told_findings
SELECT line, :ask_a_manager, :page, '' FROM told_rows WHERE action = 'failed' AND NOT fails_by_file
