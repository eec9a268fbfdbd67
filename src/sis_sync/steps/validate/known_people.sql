-- In:  people, accounts, name_edits, two_people.
-- Out: lost_zeros: one row per unknown custom ID of the file and account whose ID (known) is the same except for
--        leading zeros. is_same_kind: both are students, or neither is. are_told_apart: a manager said that they are
--        two people;
--      cut_rows: one row per row with such an ID of the same kind: the accounts, and if it fails. It does not fail if
--        each of the accounts has a row of its own;
--      rule_findings: gains these rows, and those with an unknown ID that are like a deleted account.
CREATE TEMP TABLE unknown AS
SELECT line, custom_id, CASE WHEN NOT is_type_known THEN '' WHEN user_type = 'Student' THEN 's' ELSE 'o' END AS kind,
  concat_ws(chr(31), first_name, middle_name, last_name, school_district_external_id) AS name_key, email_key
FROM people WHERE has_id AND NOT is_known AND NOT is_skipped;

CREATE TEMP TABLE lost_zeros AS
SELECT u.custom_id, u.kind, a.custom_id AS known, a.in_scope,
  u.kind = '' OR (u.kind = 's') = (a.user_type = 'Student') AS is_same_kind,
  u.custom_id IN (SELECT custom_id FROM two_people) AS are_told_apart,
  a.custom_id IN (SELECT custom_id FROM people WHERE has_id AND NOT is_skipped) AS has_row
FROM (SELECT DISTINCT custom_id, kind FROM unknown) AS u
JOIN accounts AS a ON without_zeros(a.custom_id) = without_zeros(u.custom_id)
WHERE a.custom_id <> '';

CREATE TEMP TABLE cut_rows AS
SELECT u.line, u.custom_id, c.known, c.fails
FROM unknown AS u
JOIN (
  SELECT custom_id, kind, NOT (bool_or(are_told_apart) OR bool_and(has_row)) AS fails,
    string_agg(CASE WHEN in_scope THEN known ELSE 'an account of another school' END, ', ' ORDER BY known) AS known
  FROM lost_zeros WHERE is_same_kind GROUP BY custom_id, kind
) AS c ON c.custom_id = u.custom_id AND c.kind = u.kind;

INSERT INTO rule_findings SELECT line, 'custom_id.lost_zeros', custom_id, known FROM cut_rows;

-- One deleted account for each name and for each address, or many namesakes would be compared with as many. A deleted
-- account whose names a person edited here has a second row, with those that the SIS had.
CREATE TEMP TABLE deleted_people AS
WITH deleted AS (
  SELECT *,
    custom_id || CASE deleted_on WHEN '' THEN ', a deleted account' ELSE ', deleted on ' || deleted_on END AS known
  FROM accounts WHERE is_deleted AND in_scope AND custom_id <> ''
)
SELECT known, concat_ws(chr(31), first_name, middle_name, last_name, school_district_external_id) AS name_key, email_key
FROM deleted
UNION ALL
SELECT a.known, concat_ws(chr(31), coalesce(e.first_name, a.first_name), coalesce(e.middle_name, a.middle_name),
  coalesce(e.last_name, a.last_name), a.school_district_external_id), a.email_key
FROM deleted AS a JOIN name_edits AS e ON e.custom_id = a.custom_id;

INSERT INTO rule_findings
SELECT u.line, 'custom_id.returning', u.custom_id, coalesce(n.known, e.known)
FROM unknown AS u
LEFT JOIN (SELECT name_key, min(known) AS known FROM deleted_people GROUP BY name_key) AS n ON n.name_key = u.name_key
LEFT JOIN (SELECT email_key, min(known) AS known FROM deleted_people WHERE email_key <> '' GROUP BY email_key) AS e
  ON e.email_key = u.email_key
WHERE n.known IS NOT NULL OR e.known IS NOT NULL
