-- In:  people, ignored, failed, broken, absent, accounts, remarks.
-- Out: differences: one row per row that updates or restores an account, with the values that guards compare;
--      plan: one row per record of the file, then one per absent account (line NULL). fields has the names of the
--        fields that change, in the order of the format; codes and message are empty for a row without findings.
CREATE TEMP TABLE differences AS
SELECT p.line, concat_ws(';',
  CASE WHEN a.first_name <> p.first_name THEN 'first_name' END,
  CASE WHEN a.middle_name <> p.middle_name THEN 'middle_name' END,
  CASE WHEN a.last_name <> p.last_name THEN 'last_name' END,
  CASE WHEN a.email_key <> p.email_key THEN 'email' END,
  CASE WHEN a.school_district_external_id <> p.school_district_external_id THEN 'school_district_external_id' END,
  CASE WHEN a.user_type <> p.user_type THEN 'user_type' END,
  CASE WHEN a.position <> p.position THEN 'position' END,
  CASE WHEN a.grade <> p.grade THEN 'grade' END,
  CASE WHEN a.status <> p.status THEN 'status' END) AS fields,
  p.is_deleted, p.custom_id, p.school_district_external_id AS org, p.user_type,
  p.middle_name, p.position, p.grade, p.status,
  a.middle_name AS old_middle_name, a.position AS old_position, a.grade AS old_grade, a.status AS old_status
FROM people AS p JOIN accounts AS a ON a.custom_id = p.custom_id
WHERE p.is_known AND p.has_id AND (NOT p.is_same OR p.is_deleted)
  AND NOT p.line IN (SELECT line FROM failed) AND NOT p.line IN (SELECT line FROM ignored);

CREATE TEMP TABLE plan AS
SELECT
  r.line, r.action, r.custom_id, coalesce(d.fields, '') AS fields,
  coalesce(m.codes, '') AS codes, coalesce(m.message, '') AS message
FROM (
  SELECT
    p.line,
    CASE WHEN i.line IS NOT NULL THEN 'ignored'
         WHEN x.line IS NOT NULL THEN 'failed'
         WHEN NOT p.is_known THEN 'create'
         WHEN p.is_deleted THEN 'restore'
         WHEN p.is_same THEN 'unchanged'
         ELSE 'update' END AS action,
    coalesce(p.custom_id, '') AS custom_id
  FROM people AS p
  LEFT JOIN ignored AS i ON i.line = p.line
  LEFT JOIN failed AS x ON x.line = p.line
  UNION ALL SELECT line, CASE WHEN codes = 'row.footer' THEN 'ignored' ELSE 'failed' END, '' FROM broken
) AS r
LEFT JOIN differences AS d ON d.line = r.line
LEFT JOIN remarks AS m ON m.line = r.line
UNION ALL
SELECT CAST(NULL AS BIGINT), action, custom_id, '', '', '' FROM absent
