-- In:  plan, ended_edits.
-- Out: marks: one row per row of which more is written than its fields: the edited names that end with it (ended_edits).
-- DuckDB only. A row that changes no field may have a mark too.
CREATE TEMP TABLE marks AS
SELECT x.line, e.fields AS ended_edits
FROM plan AS x JOIN ended_edits AS e ON e.line = x.line
WHERE x.action IN ('update', 'restore', 'unchanged')
