-- In:  plan, people, accounts, password_rows.
-- Out: two files, in the order of the file, then by custom ID. :path has one row per row of plan that is not unchanged,
--      with the values to store and the values now (old_*). :unchanged has one row per unchanged row, with the name.
-- Two files, because on most nights most rows change nothing, and an empty value would cost as much as a full one.

-- The accounts whose old values are stored: few on most nights, so that rows are not looked up among all accounts.
-- Only accounts in scope: a row may contain anyone's ID, and the sender must not learn whose ID it is.
CREATE TEMP TABLE concerned AS
SELECT * FROM accounts
WHERE custom_id <> '' AND in_scope AND custom_id IN (SELECT custom_id FROM plan WHERE action <> 'unchanged');

COPY (
  SELECT
    x.line, x.action, coalesce(a.account_id, '') AS account_id, x.custom_id, x.fields, x.codes, x.message,
    coalesce(p.first_name, '') AS first_name, coalesce(p.middle_name, '') AS middle_name,
    coalesce(p.last_name, '') AS last_name, coalesce(p.email, '') AS email,
    coalesce(p.school_district_external_id, '') AS school_district_external_id,
    coalesce(p.user_type, '') AS user_type, coalesce(p.position, '') AS position, coalesce(p.grade, '') AS grade,
    coalesce(p.status, '') AS status,
    coalesce(a.first_name, '') AS old_first_name, coalesce(a.middle_name, '') AS old_middle_name,
    coalesce(a.last_name, '') AS old_last_name, coalesce(a.email, '') AS old_email,
    coalesce(a.custom_id, '') AS old_custom_id,
    coalesce(a.school_district_external_id, '') AS old_school_district_external_id,
    coalesce(a.user_type, '') AS old_user_type, coalesce(a.position, '') AS old_position,
    coalesce(a.grade, '') AS old_grade, coalesce(a.status, '') AS old_status,
    x.action = 'create' AND x.line IN (SELECT line FROM password_rows) AS brings_password
  FROM plan AS x
  LEFT JOIN people AS p ON p.line = x.line
  LEFT JOIN concerned AS a ON a.custom_id = x.custom_id
  WHERE x.action <> 'unchanged'
  ORDER BY x.line NULLS LAST, x.custom_id
) TO :path (FORMAT parquet);

COPY (
  SELECT x.line, x.action, x.custom_id, x.fields, x.codes, x.message, p.first_name, p.middle_name, p.last_name
  FROM plan AS x JOIN people AS p ON p.line = x.line
  WHERE x.action = 'unchanged'
  ORDER BY x.line
) TO :unchanged (FORMAT parquet)
