-- In:  settled, accounts, listed_values.
-- Out: people: one row per record that could be split, with the values as they would be stored, and its account.
-- A student has no position, and only a student has a grade. If the type is unknown, both stay as they are in the file.
CREATE TEMP TABLE people AS
SELECT
  p.*,
  a.custom_id IS NOT NULL AS is_known,
  coalesce(a.is_deleted, FALSE) AS is_deleted,
  coalesce(a.is_protected, FALSE) AS is_protected,
  coalesce(a.is_held_by_hand, FALSE) AS is_held_by_hand,
  coalesce(a.in_scope, TRUE) AS is_account_in_scope,
  a.user_type AS account_type,
  coalesce(a.row_hash = row_hash(p.first_name, p.middle_name, p.last_name, p.email_key, p.school_district_external_id,
    p.user_type, p.position, p.grade, p.status), FALSE) AS is_same
FROM (
  SELECT
    r.line, r.early_codes, r.is_skipped, r.made, r.choice, r.keeps_values, r.keeps_address,
    r.first_name, r.middle_name, r.last_name,
    r.email, fold(r.email) AS email_key, r.custom_id,
    coalesce(NOT :is_placeholder, FALSE) AS has_id,
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
  FROM settled AS r
  LEFT JOIN listed_values AS t ON t.field = 'user_type' AND t.folded = fold(r.user_type)
  LEFT JOIN listed_values AS g ON g.field = 'grade' AND g.folded = fold(r.grade)
  LEFT JOIN listed_values AS s ON s.field = 'status' AND s.folded = fold(r.status)
) AS p
LEFT JOIN (
  SELECT custom_id, is_deleted, is_protected, is_held_by_hand, in_scope, user_type,
    row_hash(first_name, middle_name, last_name, email_key, school_district_external_id, user_type, position, grade,
      status) AS row_hash
  FROM accounts WHERE custom_id <> ''
) AS a ON a.custom_id = p.custom_id
