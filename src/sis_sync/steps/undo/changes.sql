-- In:  run_changes, orgs_then, accounts.
-- Out: done: one row per account that the run changed, numbered in the order of its file (line), with the account as it
--        is now;
--      since: one row per account and field that was changed after the run, by someone or by another run;
--      cells: one row per field that the run changed (is_of_run) or that was changed since, by someone or by another
--        run: its value before the run (old), after it (new) and now, and whether it is left alone (is_kept).
-- DuckDB only. The history has the word Deleted as the status of a deleted account, and external IDs as they were.
CREATE TEMP TABLE done AS
SELECT row_number() OVER (ORDER BY CAST(nullif(c.line, '') AS BIGINT) NULLS LAST, CAST(c.number AS BIGINT)) AS line,
  CAST(c.number AS BIGINT) AS number, c.account_id, c.action, c.before, c.after,
  a.account_id IS NOT NULL AND a.custom_id <> '' AND a.in_scope AS is_here, coalesce(a.is_deleted, FALSE) AS is_gone,
  coalesce(a.is_protected, FALSE) AS is_protected
FROM run_changes AS c LEFT JOIN accounts AS a ON a.account_id = c.account_id
WHERE c.of_run = 'yes' AND c.action IN :taken_back;

CREATE TEMP TABLE since AS
SELECT DISTINCT line, CASE field WHEN 'is_held_by_hand' THEN 'status' ELSE field END AS field
FROM (
  SELECT d.line, unnest(list_concat(json_keys(c.before), json_keys(c.after))) AS field
  FROM run_changes AS c JOIN done AS d ON d.account_id = c.account_id
  WHERE CAST(c.number AS BIGINT) > d.number
) AS later
WHERE field IN :fields OR field = 'is_held_by_hand';

CREATE TEMP TABLE cells AS
WITH changed AS (
  SELECT line, account_id, field, TRUE AS is_of_run,
    CASE field WHEN 'school_district_external_id' THEN coalesce(b.now, old) ELSE old END AS old,
    CASE field WHEN 'school_district_external_id' THEN coalesce(f.now, new) ELSE new END AS new
  FROM (
    SELECT line, account_id, field, before ->> ('$.' || field) AS old, after ->> ('$.' || field) AS new
    FROM (SELECT line, account_id, before, after, unnest(json_keys(after)) AS field FROM done)
  ) AS c
  LEFT JOIN orgs_then AS b ON b.external_id = c.old
  LEFT JOIN orgs_then AS f ON f.external_id = c.new
  UNION ALL
  SELECT d.line, d.account_id, s.field, FALSE, NULL, NULL
  FROM since AS s JOIN done AS d ON d.line = s.line
  WHERE NOT list_contains(json_keys(d.after), s.field)
),
compared AS (
  SELECT c.*, field IN ('user_type', 'grade', 'position') AS is_of_type,
    CASE field WHEN 'first_name' THEN a.first_name WHEN 'middle_name' THEN a.middle_name
      WHEN 'last_name' THEN a.last_name WHEN 'email' THEN a.email WHEN 'custom_id' THEN a.custom_id
      WHEN 'school_district_external_id' THEN a.school_district_external_id WHEN 'user_type' THEN a.user_type
      WHEN 'position' THEN a.position WHEN 'grade' THEN a.grade
      WHEN 'status' THEN CASE WHEN a.is_deleted THEN 'Deleted' ELSE a.status END END AS now
  FROM changed AS c LEFT JOIN accounts AS a ON a.account_id = c.account_id
),
judged AS (
  -- An org without an external ID cannot be named, so no one can be moved back to it.
  SELECT c.*, now IS DISTINCT FROM new OR s.field IS NOT NULL
    OR (c.field = 'school_district_external_id' AND coalesce(old = '', FALSE)) AS is_changed_since
  FROM compared AS c LEFT JOIN since AS s ON s.line = c.line AND s.field = c.field
)
-- Only a student has a grade, and no student a position. So if the run made someone a student, or a
-- student someone else, and one of the three fields is left alone, all three are.
SELECT line, field, is_of_run, old, new, now, is_changed_since OR (is_of_type
    AND bool_or(is_of_type AND is_changed_since) OVER of_person
    AND bool_or(field = 'user_type' AND (old = 'Student') <> (new = 'Student')) OVER of_person) AS is_kept
FROM judged
WINDOW of_person AS (PARTITION BY line)
