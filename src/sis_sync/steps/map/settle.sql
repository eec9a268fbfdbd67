-- In:  roster, accounts, numbered.
-- Out: settled: the rows of roster, with the values that accounts keep and the numbers of made addresses. keeps_values:
--        the row has an account, which keeps some; keeps_address: a live account keeps its address.
-- Values of accounts out of scope are never taken: the sender must not learn whose ID a row has.
CREATE TEMP TABLE settled AS
SELECT
  r.line, r.early_codes, r.is_skipped, r.made, r.choice, r.is_email_made, r.custom_id,
  CASE WHEN a.keeps AND 'first_name' IN :kept THEN a.first_name ELSE r.first_name END AS first_name,
  CASE WHEN a.keeps AND 'middle_name' IN :kept THEN a.middle_name ELSE r.middle_name END AS middle_name,
  CASE WHEN a.keeps AND 'last_name' IN :kept THEN a.last_name ELSE r.last_name END AS last_name,
  CASE WHEN a.keeps AND 'email' IN :kept THEN a.email ELSE coalesce(n.email, r.email) END AS email,
  CASE WHEN a.keeps AND 'school_district_external_id' IN :kept THEN a.school_district_external_id
       ELSE r.school_district_external_id END AS school_district_external_id,
  CASE WHEN a.keeps AND 'user_type' IN :kept THEN a.user_type ELSE r.user_type END AS user_type,
  CASE WHEN a.keeps AND 'position' IN :kept THEN a.position ELSE r.position END AS position,
  CASE WHEN a.keeps AND 'grade' IN :kept THEN a.grade ELSE r.grade END AS grade,
  CASE WHEN a.keeps AND 'status' IN :kept THEN a.status ELSE r.status END AS status,
  coalesce(a.keeps, FALSE) AS keeps_values,
  coalesce(a.keeps AND 'email' IN :kept AND NOT a.is_deleted, FALSE) AS keeps_address
FROM roster AS r
LEFT JOIN (SELECT *, TRUE AS keeps FROM accounts WHERE custom_id <> '' AND in_scope) AS a ON a.custom_id = r.custom_id
LEFT JOIN numbered AS n ON n.line = r.line
