-- In:  roster, accounts, listed_values.
-- Out: people, one row per record that splits: values as they would be stored, and what is known of its account.
--      A student has no position, nobody else a grade; where the type is unknown both stay as given.
CREATE TEMP TABLE people AS
SELECT
  p.*,
  a.custom_id IS NOT NULL AS is_known,
  coalesce(a.is_deleted, FALSE) AS is_deleted,
  coalesce(a.is_protected, FALSE) AS is_protected,
  coalesce(a.is_held_by_hand, FALSE) AS is_held_by_hand,
  coalesce(a.in_scope, TRUE) AS is_account_in_scope,
  a.user_type AS account_type,
  coalesce(a.email_key = p.email_key AND NOT a.is_deleted, FALSE) AS keeps_address,
  coalesce(a.first_name = p.first_name AND a.middle_name = p.middle_name AND a.last_name = p.last_name
    AND a.email_key = p.email_key AND a.school_district_external_id = p.school_district_external_id
    AND a.user_type = p.user_type AND a.position = p.position AND a.grade = p.grade
    AND a.status = p.status, FALSE) AS is_same
FROM (
  SELECT
    r.line, r.codes, r.is_skipped, r.first_name, r.middle_name, r.last_name,
    r.email, fold(r.email) AS email_key, r.custom_id,
    coalesce(r.custom_id <> '' AND NOT fold(r.custom_id) IN :placeholders, FALSE) AS has_id,
    r.school_district_external_id,
    r.user_type AS given_user_type, coalesce(t.value, r.user_type) AS user_type, t.value IS NOT NULL AS is_type_known,
    r.position AS given_position, CASE WHEN t.value = 'Student' THEN '' ELSE r.position END AS position,
    r.grade AS given_grade,
    CASE WHEN t.value IS NULL THEN r.grade
         WHEN t.value <> 'Student' THEN ''
         WHEN r.grade = '' THEN 'Unspecified'
         ELSE coalesce(g.value, r.grade) END AS grade,
    g.value IS NOT NULL AS is_grade_known,
    r.status AS given_status, coalesce(s.value, r.status) AS status, s.value IS NOT NULL AS is_status_known
  FROM roster AS r
  LEFT JOIN listed_values AS t ON t.field = 'user_type' AND t.folded = fold(r.user_type)
  LEFT JOIN listed_values AS g ON g.field = 'grade' AND g.folded = fold(r.grade)
  LEFT JOIN listed_values AS s ON s.field = 'status' AND s.folded = fold(r.status)
) AS p
LEFT JOIN accounts AS a ON a.custom_id = p.custom_id AND a.custom_id <> ''
