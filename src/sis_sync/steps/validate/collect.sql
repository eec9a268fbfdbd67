-- In:  rule_findings, ignored.
-- Out: findings: one row per row and code, of the rows that are not ignored;
--      failed: one row per row with an error, by its line.
CREATE TEMP TABLE findings AS
SELECT line, code, max(value) AS value, max(other) AS other
FROM rule_findings
WHERE NOT line IN (SELECT line FROM ignored)
GROUP BY line, code;

CREATE TEMP TABLE failed AS SELECT DISTINCT line FROM findings WHERE code IN :errors
