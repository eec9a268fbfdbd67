-- In: a run (:taken_back). Out: its changes of accounts, and all later changes of these accounts, with the columns of
-- CHANGE_COLUMNS in steps/undo/undo.py. Runs on PostgreSQL and SQLite.
SELECT
  c.id AS number, c.account_id, CASE WHEN c.run_id = %(taken_back)s THEN 'yes' ELSE '' END AS of_run,
  CAST(c.line AS text) AS line, c.action, CAST(c."before" AS text) AS "before", CAST(c."after" AS text) AS "after"
FROM audit_accountchange c
WHERE c.run_id = %(taken_back)s OR (
  c.account_id IN (SELECT o.account_id FROM audit_accountchange o WHERE o.run_id = %(taken_back)s)
  AND c.id > (SELECT min(o.id) FROM audit_accountchange o WHERE o.run_id = %(taken_back)s))
