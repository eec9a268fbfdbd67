-- At least 20 unknown custom IDs equal known ones except for leading zeros: a spreadsheet treated them as numbers.
WITH cut AS (
  SELECT p.custom_id, min(a.custom_id) AS known
  FROM people AS p
  JOIN accounts AS a ON replace_all(a.custom_id, '^0+', '') = replace_all(p.custom_id, '^0+', '')
  WHERE p.has_id AND NOT p.is_known AND NOT p.is_skipped AND a.custom_id <> '' AND a.custom_id <> p.custom_id
  GROUP BY p.custom_id
)
SELECT 'for example ' || example AS subject, found, (SELECT count(*) FROM accounts WHERE custom_id <> '') AS base,
  '19' AS bound
FROM
  (SELECT count(*) AS found FROM cut) AS counted,
  (
    SELECT string_agg(custom_id || ' for ' || known, ', ' ORDER BY custom_id) AS example
    FROM (SELECT custom_id, known FROM cut ORDER BY custom_id LIMIT 3)
  ) AS shown
WHERE found >= 20
