-- In:  roster, accounts, name_edits, numbered, listed_values.
-- Out: matched: one row per row of roster, with the values of its account (own_*) and which of them the account keeps;
--      settled: the rows of roster, with the values that accounts keep and the numbers of made addresses. keeps_values:
--        the row has an account, which keeps some; keeps_address: a live account keeps its address;
--      kept_values: one row per value of the file that differs from a value that the account keeps although the file
--        has one, or from an edited name that it replaces: the value given, the code, and what the account has (other);
--      ended_edits: one row per row that ends an edit if it is taken: its value for the name is neither kept nor the
--        one that the SIS had when it was edited, and may be the one that was typed here. fields has these names.
-- Runs on DuckDB only. It never uses values of accounts out of scope: the sender must not learn whose ID a row has.

-- _of_sis: what the SIS had when a person edited the name.
CREATE OR REPLACE TEMP TABLE matched AS
WITH own AS (
  SELECT a.*,
    'first_name' IN :kept OR ('first_name' IN :while_live AND NOT is_deleted) AS keeps_first_name,
    'middle_name' IN :kept OR ('middle_name' IN :while_live AND NOT is_deleted) AS keeps_middle_name,
    'last_name' IN :kept OR ('last_name' IN :while_live AND NOT is_deleted) AS keeps_last_name,
    'email' IN :kept OR ('email' IN :while_live AND NOT is_deleted) AS keeps_email,
    'school_district_external_id' IN :kept OR ('school_district_external_id' IN :while_live AND NOT is_deleted)
      AS keeps_org,
    'user_type' IN :kept OR ('user_type' IN :while_live AND NOT is_deleted) AS keeps_type,
    'position' IN :kept OR ('position' IN :while_live AND NOT is_deleted) AS keeps_position,
    'grade' IN :kept OR ('grade' IN :while_live AND NOT is_deleted) AS keeps_grade,
    'status' IN :kept OR ('status' IN :while_live AND NOT is_deleted) AS keeps_status,
    e.first_name AS first_name_of_sis, e.middle_name AS middle_name_of_sis, e.last_name AS last_name_of_sis,
    e.first_name_edited_on, e.middle_name_edited_on, e.last_name_edited_on
  FROM accounts AS a LEFT JOIN name_edits AS e ON e.custom_id = a.custom_id
  WHERE a.custom_id <> '' AND in_scope AND (:keeps_fields OR edited_names <> '')
)
SELECT
  r.line, r.early_codes, r.is_skipped, r.made, r.choice, r.is_email_made, r.custom_id,
  r.first_name, r.middle_name, r.last_name, r.email, r.school_district_external_id, r.user_type, r.position, r.grade,
  r.status,
  o.first_name AS own_first_name, o.middle_name AS own_middle_name, o.last_name AS own_last_name, o.email AS own_email,
  o.school_district_external_id AS own_org, o.user_type AS own_type, o.position AS own_position, o.grade AS own_grade,
  o.status AS own_status, o.custom_id IS NOT NULL AS is_matched, coalesce(o.is_deleted, FALSE) AS is_deleted,
  o.first_name_edited_on, o.middle_name_edited_on, o.last_name_edited_on,
  o.first_name_of_sis, o.middle_name_of_sis, o.last_name_of_sis,
  coalesce(o.keeps_first_name OR (:keeps_edits AND o.first_name_of_sis = r.first_name), FALSE) AS keeps_first_name,
  coalesce(o.keeps_middle_name OR (:keeps_edits AND o.middle_name_of_sis = r.middle_name), FALSE) AS keeps_middle_name,
  coalesce(o.keeps_last_name OR (:keeps_edits AND o.last_name_of_sis = r.last_name), FALSE) AS keeps_last_name,
  coalesce(o.keeps_email, FALSE) AS keeps_email,
  coalesce(o.keeps_org, FALSE) AS keeps_org,
  coalesce(o.keeps_type, FALSE) AS keeps_type,
  coalesce(o.keeps_position, FALSE) AS keeps_position,
  coalesce(o.keeps_grade, FALSE) AS keeps_grade,
  coalesce(o.keeps_status, FALSE) AS keeps_status,
  -- The file would make the person a student, or a student someone else.
  coalesce(t.value IS NOT NULL AND (t.value = 'Student') <> (o.user_type = 'Student'), FALSE) AS is_other_kind
FROM roster AS r
LEFT JOIN own AS o ON o.custom_id = r.custom_id
LEFT JOIN listed_values AS t ON t.field = 'user_type' AND t.folded = fold(r.user_type);

-- Only a student has a grade, and no student a position. If an account keeps its type, it keeps these two as well. If
-- the type changes, the account has none to keep, so the values of the file count.
CREATE OR REPLACE TEMP VIEW settled AS
SELECT
  m.line, m.early_codes, m.is_skipped, m.made, m.choice, m.is_email_made, m.custom_id,
  CASE WHEN keeps_first_name THEN own_first_name ELSE first_name END AS first_name,
  CASE WHEN keeps_middle_name THEN own_middle_name ELSE middle_name END AS middle_name,
  CASE WHEN keeps_last_name THEN own_last_name ELSE last_name END AS last_name,
  CASE WHEN keeps_email THEN own_email ELSE coalesce(n.email, m.email) END AS email,
  CASE WHEN keeps_org THEN own_org ELSE school_district_external_id END AS school_district_external_id,
  CASE WHEN keeps_type THEN own_type ELSE user_type END AS user_type,
  CASE WHEN is_other_kind AND 'user_type' IN :told AND keeps_type THEN own_position
       WHEN keeps_position AND NOT (is_other_kind AND 'position' IN :told) THEN own_position
       ELSE position END AS position,
  CASE WHEN is_other_kind AND 'user_type' IN :told AND keeps_type THEN own_grade
       WHEN keeps_grade AND NOT (is_other_kind AND 'grade' IN :told) THEN own_grade
       ELSE grade END AS grade,
  CASE WHEN keeps_status THEN own_status ELSE status END AS status,
  is_matched AND :keeps_fields AS keeps_values,
  keeps_email AND NOT is_deleted AS keeps_address
FROM matched AS m
LEFT JOIN numbered AS n ON n.line = m.line;

CREATE OR REPLACE TEMP TABLE kept_values AS
SELECT line, field, given, code,
  '"' || own || '"' || CASE WHEN edited_on IS NULL THEN '' ELSE ', edited here on ' || edited_on END AS other
FROM (
  SELECT *,
    CASE WHEN keeps AND edited_on IS NOT NULL THEN field || '.edited'
         WHEN keeps AND field IN :told THEN field || '.kept'
         WHEN NOT keeps AND edited_on IS NOT NULL AND (given <> '' OR field = 'middle_name') THEN field || '.replaced'
    END AS code
  FROM (
    SELECT line, 'first_name' AS field, first_name AS given, own_first_name AS own, keeps_first_name AS keeps,
      first_name_edited_on AS edited_on
    FROM matched WHERE is_matched AND first_name <> own_first_name
    UNION ALL
    SELECT line, 'middle_name', middle_name, own_middle_name, keeps_middle_name,
      middle_name_edited_on
    FROM matched WHERE is_matched AND middle_name <> own_middle_name
    UNION ALL
    SELECT line, 'last_name', last_name, own_last_name, keeps_last_name,
      last_name_edited_on
    FROM matched WHERE is_matched AND last_name <> own_last_name
    UNION ALL
    SELECT line, 'email', email, own_email, keeps_email, NULL
    FROM matched WHERE is_matched AND fold(email) <> fold(own_email) AND NOT (is_email_made AND :numbers)
    UNION ALL
    SELECT line, 'school_district_external_id', school_district_external_id, own_org, keeps_org, NULL
    FROM matched WHERE is_matched AND school_district_external_id <> own_org
    UNION ALL
    SELECT line, 'user_type', user_type, own_type, keeps_type, NULL
    FROM matched WHERE is_matched AND fold(user_type) <> fold(own_type)
    UNION ALL
    SELECT line, 'position', position, own_position, keeps_position, NULL
    FROM matched WHERE is_matched AND NOT is_other_kind AND own_type <> 'Student' AND position <> own_position
    UNION ALL
    SELECT line, 'grade', grade, own_grade, keeps_grade, NULL
    FROM matched
    WHERE is_matched AND NOT is_other_kind AND own_type = 'Student'
      AND fold(coalesce(nullif(grade, ''), 'Unspecified')) <> fold(own_grade)
    UNION ALL
    SELECT line, 'status', status, own_status, keeps_status, NULL
    FROM matched WHERE is_matched AND fold(status) <> fold(own_status)
  ) AS compared
) AS judged
WHERE code IS NOT NULL;

CREATE OR REPLACE TEMP TABLE ended_edits AS
SELECT line, fields
FROM (
  SELECT line, concat_ws(';',
    CASE WHEN first_name_of_sis IS NOT NULL AND NOT keeps_first_name THEN 'first_name' END,
    CASE WHEN middle_name_of_sis IS NOT NULL AND NOT keeps_middle_name THEN 'middle_name' END,
    CASE WHEN last_name_of_sis IS NOT NULL AND NOT keeps_last_name THEN 'last_name' END) AS fields
  FROM matched
) AS ended
WHERE fields <> ''
