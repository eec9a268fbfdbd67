-- In:  accounts_read, orgs_read, listed_values.
-- Out: orgs: one row per org that has an external ID;
--      accounts: one row per account, with the values as a plan compares them: a grade only for students, a position
--        only for others;
--      name_edits: no rows, see name_edits.sql;
--      pairs, pair_totals, paired_accounts: no pairs. The step memory replaces them: a pair is a line of the file and
--        the account that it does not change, and no other table contains either. pairs has one row per pair,
--        pair_totals has one row with the number of pairs (people) and the last of their lines, and paired_accounts has
--        the number of their accounts for each org, type and status. is_import: see lately.
-- accounts_read and orgs_read are queries that read the files. accounts_read has the ten fields as text, and state,
-- protected, account_id, held_by_hand, rights, in_scope, deleted_on and edited_names.
CREATE TEMP TABLE orgs AS
SELECT external_id, any_value(name) AS name, any_value(kind) AS kind, bool_or(in_scope <> 'no') AS in_scope
FROM :orgs_read AS o
WHERE external_id <> ''
GROUP BY external_id;

CREATE TEMP TABLE accounts AS
SELECT
  a.account_id, a.first_name, a.middle_name, a.last_name, a.email, fold(a.email) AS email_key, a.custom_id,
  a.school_district_external_id,
  coalesce(t.value, a.user_type) AS user_type,
  CASE WHEN fold(a.user_type) = 'student' THEN '' ELSE a.position END AS position,
  CASE WHEN fold(a.user_type) <> 'student' THEN ''
       WHEN a.grade = '' THEN 'Unspecified' ELSE coalesce(g.value, a.grade) END AS grade,
  coalesce(s.value, a.status) AS status,
  fold(a.state) = 'deleted' AS is_deleted,
  fold(a.protected) = 'yes' AS is_protected,
  fold(a.held_by_hand) = 'yes' AS is_held_by_hand,
  fold(a.rights) AS rights,
  fold(a.in_scope) <> 'no' AS in_scope,
  a.deleted_on, a.edited_names
FROM :accounts_read AS a
LEFT JOIN listed_values AS t ON t.field = 'user_type' AND t.folded = fold(a.user_type)
LEFT JOIN listed_values AS g ON g.field = 'grade' AND g.folded = fold(a.grade)
LEFT JOIN listed_values AS s ON s.field = 'status' AND s.folded = fold(a.status);

CREATE TEMP TABLE name_edits (
  custom_id VARCHAR, first_name VARCHAR, middle_name VARCHAR, last_name VARCHAR, first_name_edited_on VARCHAR,
  middle_name_edited_on VARCHAR, last_name_edited_on VARCHAR
);

CREATE TEMP TABLE pairs (line BIGINT, custom_id VARCHAR);

CREATE TEMP TABLE pair_totals AS SELECT CAST(0 AS BIGINT) AS people, CAST(0 AS BIGINT) AS last_line;

CREATE TEMP TABLE paired_accounts (
  org VARCHAR, user_type VARCHAR, status VARCHAR, is_import BOOLEAN, accounts BIGINT
)
