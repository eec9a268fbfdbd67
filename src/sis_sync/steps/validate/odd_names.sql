-- In:  odd_names.
-- Out: odd_names: without the names that are not damaged;
--      rule_findings: gains a row for each row of the file with such names, which tells the first of them.
DELETE FROM odd_names WHERE NOT is_word AND NOT has_match(name, :damaged);

INSERT INTO rule_findings
SELECT o.line, CASE WHEN o.is_word THEN 'name.placeholder' ELSE 'name.damaged' END, o.name,
  o.field || CASE WHEN o.is_word THEN '.' || o.name ELSE '' END
FROM odd_names AS o
JOIN (SELECT line, is_word, min(field) AS field FROM odd_names GROUP BY line, is_word) AS f
  ON f.line = o.line AND f.is_word = o.is_word AND f.field = o.field
