-- In:  plan, people, accounts, password_hashes.
-- Out: the stored plan at :path, one row per row of plan in its order, with the values to store and the values now (old_*).
--      A row that changes nothing keeps the name and the type of its person only: who reads the plan knows the rest.
CREATE TEMP TABLE numbered AS
SELECT row_number() OVER (ORDER BY line NULLS LAST, custom_id) AS seq, line, action, custom_id, fields, codes, message
FROM plan;

-- The accounts whose old values are told: few on most nights, so that no row has to be looked up among all accounts.
CREATE TEMP TABLE concerned AS
SELECT * FROM accounts
WHERE custom_id <> '' AND custom_id IN (SELECT custom_id FROM plan WHERE action <> 'unchanged');

COPY (
  SELECT
    x.seq, x.line, x.action, coalesce(a.account_id, '') AS account_id, x.custom_id, x.fields, x.codes, x.message,
    coalesce(p.first_name, '') AS first_name, coalesce(p.middle_name, '') AS middle_name,
    coalesce(p.last_name, '') AS last_name,
    CASE WHEN x.action = 'unchanged' THEN '' ELSE coalesce(p.email, '') END AS email,
    CASE WHEN x.action = 'unchanged' THEN '' ELSE coalesce(p.school_district_external_id, '') END
      AS school_district_external_id,
    coalesce(p.user_type, '') AS user_type,
    CASE WHEN x.action = 'unchanged' THEN '' ELSE coalesce(p.position, '') END AS position,
    CASE WHEN x.action = 'unchanged' THEN '' ELSE coalesce(p.grade, '') END AS grade,
    CASE WHEN x.action = 'unchanged' THEN '' ELSE coalesce(p.status, '') END AS status,
    coalesce(a.first_name, '') AS old_first_name, coalesce(a.middle_name, '') AS old_middle_name,
    coalesce(a.last_name, '') AS old_last_name, coalesce(a.email, '') AS old_email,
    coalesce(a.custom_id, '') AS old_custom_id,
    coalesce(a.school_district_external_id, '') AS old_school_district_external_id,
    coalesce(a.user_type, '') AS old_user_type, coalesce(a.position, '') AS old_position,
    coalesce(a.grade, '') AS old_grade, coalesce(a.status, '') AS old_status,
    coalesce(h.password_hash, '') AS password_hash
  FROM numbered AS x
  LEFT JOIN people AS p ON p.line = x.line
  LEFT JOIN concerned AS a ON a.custom_id = x.custom_id AND x.action <> 'unchanged'
  LEFT JOIN password_hashes AS h ON h.line = x.line
  ORDER BY seq
) TO :path (FORMAT parquet)
