-- In:  people.
-- Out: odd_names: one row per name that is a word for nothing (is_word) or that is damaged, with its field;
--      rule_findings: gains a row for each row of the file with such names, which tells the first of them.
CREATE TEMP TABLE odd_names AS
SELECT line, field, name, is_word
FROM (
  SELECT line, field, name, name IN :words OR (name LIKE '#%' AND fold(name) IN :error_words) AS is_word,
    (NOT is_ascii(name) OR name LIKE '%&%;%') AND has_match(name, :damaged) AS is_damaged
  FROM (
    SELECT line, 'first_name' AS field, first_name AS name FROM people
    UNION ALL SELECT line, 'middle_name', middle_name FROM people
    UNION ALL SELECT line, 'last_name', last_name FROM people
  ) AS names
) AS judged
WHERE is_word OR is_damaged;

INSERT INTO rule_findings
SELECT o.line, CASE WHEN o.is_word THEN 'name.placeholder' ELSE 'name.damaged' END, o.name,
  o.field || CASE WHEN o.is_word THEN '.' || o.name ELSE '' END
FROM odd_names AS o
JOIN (SELECT line, is_word, min(field) AS field FROM odd_names GROUP BY line, is_word) AS f
  ON f.line = o.line AND f.is_word = o.is_word AND f.field = o.field
