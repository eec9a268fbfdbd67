-- In:  plan, ignored, findings.
-- Out: told_rows: one row per record that was ignored or failed, or has a remark: line, action, custom_id. All others
--        are taken. A taken row has no custom ID;
--      told_findings: what the file alone decides, and row.ask_a_manager for each row that fails because of an account.
-- No row of `ignored` may have a reason that the accounts decide.
CREATE OR REPLACE TEMP TABLE told_findings AS
SELECT line, code, value, other, is_error, made_by FROM findings WHERE code IN :decided_by_file
UNION ALL SELECT line, code, value, other, FALSE, '' FROM ignored;

CREATE OR REPLACE TEMP TABLE told_rows AS
SELECT line, action, CASE WHEN action = 'taken' THEN '' ELSE custom_id END AS custom_id, fails_by_file
FROM (
  SELECT p.line, p.custom_id, coalesce(f.is_failed, FALSE) AS fails_by_file, f.line IS NOT NULL AS is_told,
    CASE WHEN i.line IS NOT NULL THEN 'ignored'
         WHEN f.is_failed OR p.action = 'failed' THEN 'failed'
         ELSE 'taken' END AS action
  FROM plan AS p
  LEFT JOIN ignored AS i ON i.line = p.line
  LEFT JOIN (
    SELECT line, bool_or(is_error) AS is_failed FROM told_findings GROUP BY line
  ) AS f ON f.line = p.line
  WHERE p.line IS NOT NULL
) AS judged
WHERE action <> 'taken' OR is_told;

INSERT INTO told_findings
SELECT line, :ask_a_manager, :page, '', TRUE, '' FROM told_rows WHERE action = 'failed' AND NOT fails_by_file
