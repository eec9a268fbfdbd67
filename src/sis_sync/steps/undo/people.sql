-- In:  run_changes, done, cells, accounts, orgs.
-- Out: put_back: the values of each account after the undo, and its fate: it stays, leaves or changes;
--      people, ignored, findings, failed, absent: as validate and plan would make them of a file;
--      broken, broken_cells, password_rows, passwords_of_existing, ended_edits: empty, because there is no file;
--      present, made_by_lines, odd_names, lost_zeros: empty, because what is put back was here before.
-- DuckDB only. An account that the run created or restored leaves again, unless one of its fields was changed since, or
-- its person has claimed it.
CREATE TEMP TABLE going_back AS
SELECT d.line, d.account_id, d.action,
  CASE WHEN d.is_protected OR NOT d.is_here THEN 'stays'
       WHEN d.action IN ('create', 'restore') AND (k.kept > 0 OR c.account_id IS NOT NULL) THEN 'stays'
       WHEN d.action IN ('create', 'restore') THEN 'leaves'
       WHEN d.action = 'delete' AND k.is_status_kept THEN 'stays'
       WHEN d.action <> 'delete' AND (d.is_gone OR k.kept_of_run = k.of_run) THEN 'stays'
       ELSE 'changes' END AS fate,
  CASE WHEN NOT d.is_here THEN 'undo.not_here'
       WHEN d.is_protected THEN 'account.protected'
       WHEN k.kept > 0 THEN 'undo.changed_since'
       WHEN d.action IN ('create', 'restore') AND c.account_id IS NOT NULL THEN 'undo.claimed'
       WHEN d.action NOT IN ('create', 'restore', 'delete') AND d.is_gone THEN 'undo.changed_since' END AS code,
  CASE WHEN NOT d.is_here THEN ''
       WHEN d.is_protected OR (c.account_id IS NOT NULL AND k.said IS NULL) THEN a.custom_id
       ELSE coalesce(k.said, 'status (now "Deleted")') END AS value
FROM done AS d
LEFT JOIN accounts AS a ON a.account_id = d.account_id
LEFT JOIN (
  SELECT line, count(*) FILTER (WHERE is_kept) AS kept, count(*) FILTER (WHERE is_of_run) AS of_run,
    count(*) FILTER (WHERE is_of_run AND is_kept) AS kept_of_run,
    coalesce(bool_or(is_kept) FILTER (WHERE field = 'status'), FALSE) AS is_status_kept,
    string_agg(field || ' (now ' || CASE now WHEN '' THEN 'empty' ELSE '"' || coalesce(now, '') || '"' END
      || coalesce(', then ' || CASE old WHEN '' THEN 'empty' ELSE '"' || old || '"' END, '') || ')', ', '
      ORDER BY field) FILTER (WHERE is_kept) AS said
  FROM cells GROUP BY line
) AS k ON k.line = d.line
LEFT JOIN (
  SELECT DISTINCT l.account_id FROM run_changes AS l JOIN done AS o ON o.account_id = l.account_id
  WHERE l.action = 'claim' AND CAST(l.number AS BIGINT) > o.number
) AS c ON c.account_id = d.account_id;

-- An account that would leave stays if no manager of the district would be left.
UPDATE going_back SET fate = 'stays', code = 'account.last_manager', value = m.custom_id
FROM accounts AS m
WHERE m.account_id = going_back.account_id AND fate = 'leaves'
  AND m.rights = 'district' AND m.status = 'Active' AND NOT m.is_deleted
  AND NOT EXISTS (
    SELECT 1 FROM accounts AS o
    WHERE o.rights = 'district' AND o.status = 'Active' AND NOT o.is_deleted
      AND NOT o.account_id IN (
        SELECT g.account_id FROM going_back AS g WHERE g.fate = 'leaves' AND g.account_id IS NOT NULL)
      AND NOT o.account_id IN (
        SELECT e.account_id FROM cells AS c JOIN done AS e ON e.line = c.line
        WHERE c.field = 'status' AND c.old IN ('Disabled', 'Deleted') AND NOT c.is_kept));

CREATE TEMP TABLE put_back AS
WITH old_values AS (
  SELECT line, max(old) FILTER (WHERE field = 'first_name') AS first_name,
    max(old) FILTER (WHERE field = 'middle_name') AS middle_name,
    max(old) FILTER (WHERE field = 'last_name') AS last_name, max(old) FILTER (WHERE field = 'email') AS email,
    max(old) FILTER (WHERE field = 'school_district_external_id') AS org,
    max(old) FILTER (WHERE field = 'user_type') AS user_type, max(old) FILTER (WHERE field = 'position') AS position,
    max(old) FILTER (WHERE field = 'grade') AS grade,
    max(old) FILTER (WHERE field = 'status' AND old <> 'Deleted') AS status
  FROM cells WHERE NOT is_kept GROUP BY line
)
SELECT g.line, g.fate, coalesce(a.custom_id, '') AS custom_id, coalesce(a.is_deleted, FALSE) AS is_deleted,
  coalesce(v.first_name, a.first_name, '') AS first_name, coalesce(v.middle_name, a.middle_name, '') AS middle_name,
  coalesce(v.last_name, a.last_name, '') AS last_name, coalesce(v.email, a.email, '') AS email,
  coalesce(v.org, a.school_district_external_id, '') AS school_district_external_id,
  coalesce(v.user_type, a.user_type, '') AS user_type, coalesce(v.position, a.position, '') AS position,
  coalesce(v.grade, a.grade, '') AS grade, coalesce(v.status, a.status, '') AS status,
  a.user_type AS account_type, v.org AS moved_to,
  concat_ws(';',
    CASE WHEN v.first_name <> a.first_name THEN 'first_name' END,
    CASE WHEN v.middle_name <> a.middle_name THEN 'middle_name' END,
    CASE WHEN v.last_name <> a.last_name THEN 'last_name' END,
    CASE WHEN v.email <> a.email THEN 'email' END,
    CASE WHEN v.org <> a.school_district_external_id THEN 'school_district_external_id' END,
    CASE WHEN v.user_type <> a.user_type THEN 'user_type' END,
    CASE WHEN v.position <> a.position THEN 'position' END,
    CASE WHEN v.grade <> a.grade THEN 'grade' END,
    CASE WHEN v.status <> a.status THEN 'status' END) AS fields
FROM going_back AS g
LEFT JOIN accounts AS a ON a.account_id = g.account_id
LEFT JOIN old_values AS v ON v.line = g.line AND g.fate <> 'stays';

CREATE TEMP TABLE people AS
SELECT line, '' AS early_codes, '' AS made, FALSE AS is_skipped, first_name, middle_name, last_name, email,
  fold(email) AS email_key, custom_id, TRUE AS has_id, school_district_external_id,
  user_type AS given_user_type, user_type, TRUE AS is_type_known, position AS given_position, position,
  grade AS given_grade, grade, TRUE AS is_grade_known, status AS given_status, status, TRUE AS is_status_known,
  TRUE AS is_known, is_deleted, FALSE AS is_protected, FALSE AS is_held_by_hand, TRUE AS is_account_in_scope,
  account_type, fields = '' AS is_same
FROM put_back WHERE fate <> 'leaves';

CREATE TEMP TABLE ignored AS
SELECT line, code, value, '' AS other FROM going_back WHERE fate = 'stays';

CREATE TEMP TABLE findings AS
SELECT line, code, value, '' AS other, FALSE AS is_error, '' AS made_by FROM going_back
WHERE fate = 'changes' AND code IS NOT NULL
UNION ALL
SELECT line, 'undo.org_gone', moved_to, '', TRUE, '' FROM put_back
WHERE fate = 'changes' AND NOT coalesce(moved_to IN (SELECT external_id FROM orgs WHERE in_scope), TRUE);

CREATE TEMP TABLE failed AS SELECT DISTINCT line FROM findings WHERE is_error;

CREATE TEMP TABLE absent AS
SELECT g.account_id, p.custom_id, 'delete' AS action
FROM going_back AS g JOIN put_back AS p ON p.line = g.line
WHERE g.fate = 'leaves';

CREATE TEMP TABLE broken (line BIGINT, codes VARCHAR, width BIGINT, cells VARCHAR[]);
CREATE TEMP TABLE broken_cells (line BIGINT, cell VARCHAR, raw VARCHAR);
CREATE TEMP TABLE password_rows (line BIGINT, password VARCHAR);
CREATE TEMP TABLE passwords_of_existing (line BIGINT, is_new BOOLEAN);
CREATE TEMP TABLE ended_edits (line BIGINT, fields VARCHAR);
CREATE TEMP TABLE present (custom_id VARCHAR);
CREATE TEMP TABLE lost_zeros (custom_id VARCHAR, known VARCHAR, are_told_apart BOOLEAN);
CREATE TEMP TABLE odd_names (line BIGINT, field VARCHAR, name VARCHAR, is_word BOOLEAN);
CREATE TEMP TABLE made_by_lines (code VARCHAR, place BIGINT, letter VARCHAR, line VARCHAR, says_value BOOLEAN)
