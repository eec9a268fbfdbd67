-- In:  nothing.
-- Out: accounts, name_edits, orgs, two_people: empty, for a file that is checked without a directory.
CREATE TEMP TABLE accounts (
  account_id VARCHAR, first_name VARCHAR, middle_name VARCHAR, last_name VARCHAR, email VARCHAR, email_key VARCHAR,
  custom_id VARCHAR, school_district_external_id VARCHAR, user_type VARCHAR, position VARCHAR, grade VARCHAR,
  status VARCHAR, is_deleted BOOLEAN, is_protected BOOLEAN, is_held_by_hand BOOLEAN, rights VARCHAR, in_scope BOOLEAN,
  deleted_on VARCHAR, edited_names VARCHAR
);

CREATE TEMP TABLE orgs (external_id VARCHAR, name VARCHAR, kind VARCHAR, in_scope BOOLEAN);

CREATE TEMP TABLE two_people (custom_id VARCHAR);

CREATE TEMP TABLE name_edits (
  custom_id VARCHAR, first_name VARCHAR, middle_name VARCHAR, last_name VARCHAR, first_name_edited_on VARCHAR,
  middle_name_edited_on VARCHAR, last_name_edited_on VARCHAR
)
