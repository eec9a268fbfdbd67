-- In:  people, broken, orgs.
-- Out: rule_findings: one row per fault or remark: line, code, value (from the row), other (the value it clashes with).
-- One SELECT per rule. A cell that does not decode is NULL, and only row.encoding judges it.
CREATE TEMP TABLE rule_findings AS
SELECT line, 'first_name.required' AS code, '' AS value, '' AS other FROM people WHERE first_name = ''
UNION ALL SELECT line, 'last_name.required', '', '' FROM people WHERE last_name = ''
UNION ALL SELECT line, 'email.required', '', '' FROM people WHERE email = ''
UNION ALL SELECT line, 'custom_id.required', '', '' FROM people WHERE custom_id = ''
UNION ALL SELECT line, 'school_district_external_id.required', '', '' FROM people WHERE school_district_external_id = ''
UNION ALL SELECT line, 'user_type.required', '', '' FROM people WHERE user_type = ''
UNION ALL SELECT line, 'status.required', '', '' FROM people WHERE status = ''

UNION ALL SELECT line, 'first_name.too_long', first_name, '' FROM people WHERE length(first_name) > :first_name_max
UNION ALL SELECT line, 'middle_name.too_long', middle_name, '' FROM people WHERE length(middle_name) > :middle_name_max
UNION ALL SELECT line, 'last_name.too_long', last_name, '' FROM people WHERE length(last_name) > :last_name_max
UNION ALL SELECT line, 'email.too_long', email, '' FROM people WHERE length(email) > :email_max
UNION ALL SELECT line, 'custom_id.too_long', custom_id, '' FROM people WHERE length(custom_id) > :custom_id_max
UNION ALL SELECT line, 'position.too_long', position, '' FROM people
          WHERE is_type_known AND length(position) > :position_max

UNION ALL SELECT line, 'email.invalid', email, '' FROM people WHERE email <> '' AND NOT matches(email, :email_pattern)
UNION ALL SELECT line, 'custom_id.placeholder', custom_id, '' FROM people WHERE custom_id <> '' AND NOT has_id
UNION ALL SELECT line, 'user_type.unknown', user_type, '' FROM people WHERE user_type <> '' AND NOT is_type_known
UNION ALL SELECT line, 'grade.unknown', given_grade, '' FROM people
          WHERE user_type = 'Student' AND given_grade <> '' AND NOT is_grade_known
UNION ALL SELECT line, 'status.unknown', status, '' FROM people WHERE status <> '' AND NOT is_status_known
UNION ALL SELECT line, 'user_type.out_of_mode', user_type, '' FROM people
          WHERE is_type_known AND NOT user_type IN :mode_types
UNION ALL SELECT line, 'account.out_of_mode', custom_id, '' FROM people
          WHERE is_known AND has_id AND NOT account_type IN :mode_types
UNION ALL SELECT line, 'account.out_of_scope', custom_id, '' FROM people WHERE has_id AND NOT is_account_in_scope
UNION ALL SELECT line, 'org.unknown', school_district_external_id, '' FROM people
          WHERE :are_orgs_known AND school_district_external_id <> ''
            AND NOT school_district_external_id IN (SELECT external_id FROM orgs)
UNION ALL SELECT p.line, 'org.out_of_scope', p.school_district_external_id, '' FROM people AS p
          JOIN orgs AS o ON o.external_id = p.school_district_external_id WHERE NOT o.in_scope

UNION ALL SELECT line, 'position.ignored', given_position, '' FROM people
          WHERE user_type = 'Student' AND given_position <> ''
UNION ALL SELECT line, 'grade.ignored', given_grade, '' FROM people
          WHERE is_type_known AND user_type <> 'Student' AND given_grade <> ''

UNION ALL SELECT line, 'row.control_character', '', '' FROM people
          WHERE has_match(custom_id, :format_characters) OR has_match(email, :format_characters)
UNION ALL SELECT p.line, c.code,
          CASE c.code WHEN 'user_type.unknown' THEN p.user_type WHEN 'grade.unknown' THEN p.given_grade
                      WHEN 'status.unknown' THEN p.status WHEN 'org.unknown' THEN p.school_district_external_id
                      ELSE '' END, ''
          FROM (SELECT * FROM people WHERE early_codes <> '') AS p
          JOIN :early_codes AS c(code) ON instr(p.early_codes, c.code) > 0
          WHERE c.code <> 'grade.unknown' OR p.user_type = 'Student'
UNION ALL SELECT b.line, c.code,
          CASE WHEN b.width > :columns
               THEN CAST(b.width AS STRING) || ' cells for ' || CAST(:columns AS STRING) || ' columns'
               ELSE CAST(b.width AS STRING) || ' of ' || CAST(:columns AS STRING) || ' cells' END,
          coalesce(m.missing, 'a value with a delimiter in it needs quotation marks')
          FROM broken AS b
          JOIN :early_codes AS c(code) ON instr(b.codes, c.code) > 0
          LEFT JOIN :missing_cells AS m(width, missing) ON m.width = b.width
