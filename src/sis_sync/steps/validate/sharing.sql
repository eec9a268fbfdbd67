-- In:  people, ignored.
-- Out: sharing: one row per row whose address another row has too. Each row without a usable custom ID counts as a
--        separate person. Ignored rows do not count, nor do rows whose account keeps its address: planning judges it.
CREATE TEMP TABLE sharing AS
SELECT line, email, email_key,
  CASE WHEN has_id THEN 'id ' || custom_id ELSE 'line ' || CAST(line AS STRING) END AS person
FROM people
WHERE email_key IN (
    SELECT email_key FROM people WHERE email_key <> '' AND NOT keeps_address GROUP BY email_key HAVING count(*) > 1)
  AND NOT keeps_address AND NOT line IN (SELECT line FROM ignored)
  AND matches(email, :email_pattern)
