-- In:  people.
-- Out: odd_names: one row per name that is a word for nothing (is_word) or may be damaged, with its field. A name in
--        ASCII without & and ; is never damaged.
CREATE TEMP TABLE odd_names AS
SELECT line, field, name, is_word
FROM (
  SELECT line, field, name, name IN :words OR (name LIKE '#%' AND fold(name) IN :error_words) AS is_word
  FROM (
    SELECT line, 'first_name' AS field, first_name AS name FROM people
    UNION ALL SELECT line, 'middle_name', middle_name FROM people
    UNION ALL SELECT line, 'last_name', last_name FROM people
  ) AS names
) AS judged
WHERE is_word OR NOT is_ascii(name) OR name LIKE '%&%;%'
