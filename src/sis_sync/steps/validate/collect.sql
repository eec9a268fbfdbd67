-- In:  rule_findings, address_findings, ignored.
-- Out: findings: one row per row and code, of the rows that are not ignored;
--      failed: one row per row with an error, by its line.
CREATE TEMP TABLE findings AS
SELECT line, code, max(value) AS value, max(other) AS other
FROM (SELECT * FROM rule_findings UNION ALL SELECT * FROM address_findings)
WHERE NOT line IN (SELECT line FROM ignored)
GROUP BY line, code;

CREATE TEMP TABLE failed AS SELECT DISTINCT line FROM findings WHERE code IN :errors
