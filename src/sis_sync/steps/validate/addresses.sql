-- In:  people, ignored.
-- Out: address_findings: one row per row whose address another person has too, with the lines of the others.
-- Ignored rows do not count. Each row without a usable custom ID counts as a separate person.
CREATE TEMP TABLE sharing AS
SELECT line, email, email_key,
  CASE WHEN has_id THEN 'id ' || custom_id ELSE 'line ' || CAST(line AS STRING) END AS person
FROM people
WHERE email_key IN (SELECT email_key FROM people WHERE email_key <> '' GROUP BY email_key HAVING count(*) > 1)
  AND NOT line IN (SELECT line FROM ignored)
  AND matches(email, :email_pattern);

CREATE TEMP TABLE address_findings AS
SELECT s.line, 'email.duplicate' AS code, s.email AS value,
  CAST(CASE WHEN s.line = g.first_line THEN g.next_line ELSE g.first_line END AS STRING) || g.more AS other
FROM sharing AS s
JOIN (
  SELECT email_key, min(line) AS first_line, min(CASE WHEN place = 2 THEN line END) AS next_line,
    CASE WHEN count(*) > 2 THEN ' and others' ELSE '' END AS more
  FROM (SELECT *, row_number() OVER (PARTITION BY email_key ORDER BY line) AS place FROM sharing)
  GROUP BY email_key HAVING count(DISTINCT person) > 1
) AS g ON g.email_key = s.email_key
