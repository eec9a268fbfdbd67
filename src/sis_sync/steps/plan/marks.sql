-- In:  plan, ended_edits, brought_passwords.
-- Out: marks: one row per row of which more is written than its fields: the edited names that end with it
--        (ended_edits), and the password that it brings, if it is set (brings_password).
-- DuckDB only. A row that changes no field may have a mark too.
CREATE TEMP TABLE marks AS
SELECT x.line, coalesce(e.fields, '') AS ended_edits, p.line IS NOT NULL AS brings_password
FROM plan AS x
LEFT JOIN ended_edits AS e ON e.line = x.line AND x.action IN ('update', 'restore', 'unchanged')
LEFT JOIN (SELECT line FROM brought_passwords WHERE is_set) AS p ON p.line = x.line
WHERE e.line IS NOT NULL OR p.line IS NOT NULL
