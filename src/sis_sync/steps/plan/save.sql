-- In:  plan, people, accounts, pairs, marks.
-- Out: three files, in the order of the file, then by custom ID. :path has one row per row of plan that is not
--      unchanged or has a mark, with the values to store, the values now (old_*), and those of the file where they
--      differ from what is stored (given_*, else NULL). :unchanged has the line and the custom ID of each other row.
--      :notes has one row per row of :unchanged that has a finding, with its name: an account may keep its own. If
--      :has_values, that is if the file alone does not give the values, it has all rows of :unchanged, with all values
--      (given_*).
-- In each is a row that there never is, so that its bytes depend on the rows alone: the engine writes a column without
-- NULL in another way if it knows that it has none.
-- Three files, because on most nights most rows change nothing, and an empty value costs as much as a full one.

-- The accounts whose old values are stored: few on most nights, so that rows are not looked up among all accounts.
-- Only accounts in scope: a row may contain anyone's ID, and the sender must not learn whose ID it is.
CREATE TEMP TABLE concerned AS
SELECT * FROM accounts
WHERE custom_id <> '' AND in_scope AND custom_id IN (
  SELECT custom_id FROM plan WHERE action <> 'unchanged' OR line IN (SELECT line FROM marks));

COPY (
  SELECT
    x.line, x.action, coalesce(a.account_id, '') AS account_id, x.custom_id, x.fields, x.codes, x.message,
    coalesce(p.first_name, '') AS first_name, coalesce(p.middle_name, '') AS middle_name,
    coalesce(p.last_name, '') AS last_name, coalesce(p.email, '') AS email,
    coalesce(p.school_district_external_id, '') AS school_district_external_id,
    coalesce(p.user_type, '') AS user_type, coalesce(p.position, '') AS position, coalesce(p.grade, '') AS grade,
    coalesce(p.status, '') AS status,
    CASE WHEN p.given_user_type <> p.user_type THEN p.given_user_type END AS given_user_type,
    CASE WHEN p.given_position <> p.position THEN p.given_position END AS given_position,
    CASE WHEN p.given_grade <> p.grade THEN p.given_grade END AS given_grade,
    CASE WHEN p.given_status <> p.status THEN p.given_status END AS given_status,
    coalesce(a.first_name, '') AS old_first_name, coalesce(a.middle_name, '') AS old_middle_name,
    coalesce(a.last_name, '') AS old_last_name, coalesce(a.email, '') AS old_email,
    coalesce(a.custom_id, '') AS old_custom_id,
    coalesce(a.school_district_external_id, '') AS old_school_district_external_id,
    coalesce(a.user_type, '') AS old_user_type, coalesce(a.position, '') AS old_position,
    coalesce(a.grade, '') AS old_grade, coalesce(a.status, '') AS old_status,
    coalesce(k.brings_password, FALSE) AS brings_password, coalesce(k.ended_edits, '') AS ended_edits
  FROM plan AS x
  LEFT JOIN people AS p ON p.line = x.line
  LEFT JOIN concerned AS a ON a.custom_id = x.custom_id
  LEFT JOIN marks AS k ON k.line = x.line
  WHERE x.action <> 'unchanged' OR k.line IS NOT NULL
  UNION ALL BY NAME SELECT NULL AS line WHERE random() < 0
  ORDER BY line NULLS LAST, custom_id
) TO :path (FORMAT parquet);

COPY (
  SELECT line, custom_id FROM plan WHERE action = 'unchanged' AND NOT line IN (SELECT line FROM marks)
  UNION ALL SELECT line, custom_id FROM pairs
  UNION ALL SELECT NULL AS line, NULL AS custom_id WHERE random() < 0
  ORDER BY line
) TO :unchanged (FORMAT parquet, PARQUET_VERSION v2);

COPY (
  SELECT x.line, x.custom_id, x.codes, x.message, p.first_name, p.middle_name, p.last_name,
    CASE WHEN :has_values THEN p.email END AS email,
    CASE WHEN :has_values THEN p.school_district_external_id END AS school_district_external_id,
    CASE WHEN :has_values THEN p.given_user_type END AS given_user_type,
    CASE WHEN :has_values THEN p.given_position END AS given_position,
    CASE WHEN :has_values THEN p.given_grade END AS given_grade,
    CASE WHEN :has_values THEN p.given_status END AS given_status
  FROM plan AS x JOIN people AS p ON p.line = x.line
  WHERE x.action = 'unchanged' AND NOT x.line IN (SELECT line FROM marks) AND (:has_values OR x.codes <> '')
  UNION ALL BY NAME SELECT NULL AS line WHERE random() < 0
  ORDER BY line
) TO :notes (FORMAT parquet)
