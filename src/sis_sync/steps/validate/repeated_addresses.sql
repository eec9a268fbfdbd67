-- In:  sharing.
-- Out: rule_findings: gains the rows whose address another person has too, with the lines of the others.
INSERT INTO rule_findings
SELECT s.line, 'email.duplicate', s.email,
  CAST(CASE WHEN s.line = g.first_line THEN g.next_line ELSE g.first_line END AS STRING) || g.more
FROM sharing AS s
JOIN (
  SELECT email_key, min(line) AS first_line, min(CASE WHEN place = 2 THEN line END) AS next_line,
    CASE WHEN count(*) > 2 THEN ' and others' ELSE '' END AS more
  FROM (SELECT *, row_number() OVER (PARTITION BY email_key ORDER BY line) AS place FROM sharing)
  GROUP BY email_key HAVING count(DISTINCT person) > 1
) AS g ON g.email_key = s.email_key
