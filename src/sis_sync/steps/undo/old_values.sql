-- In:  put_back, absent, plan.
-- Out: people: gains the accounts that leave again and had other values before the run, with these values.
-- Their rows of plan get a line and the fields. Guards have been checked by now: for them, such a person only leaves.
CREATE TEMP TABLE left_with AS
SELECT * FROM put_back WHERE fate = 'leaves' AND fields <> '' AND custom_id IN (SELECT custom_id FROM absent);

INSERT INTO people BY NAME
SELECT line, first_name, middle_name, last_name, email, custom_id, school_district_external_id, user_type,
  user_type AS given_user_type, position, position AS given_position, grade, grade AS given_grade, status,
  status AS given_status
FROM left_with;

UPDATE plan SET line = v.line, fields = v.fields FROM left_with AS v
WHERE plan.line IS NULL AND plan.custom_id = v.custom_id
