-- At least 20 unknown custom IDs equal known ones except for leading zeros: a spreadsheet treated them as numbers.
-- People whom a manager told apart are not counted.
WITH cut AS (
  SELECT custom_id, min(known) AS known FROM lost_zeros WHERE NOT are_told_apart GROUP BY custom_id
)
SELECT 'for example ' || example AS subject, found,
  (SELECT count(*) FROM accounts WHERE custom_id <> '') + (SELECT people FROM pair_totals) AS base, '19' AS bound
FROM
  (SELECT count(*) AS found FROM cut) AS counted,
  (
    SELECT string_agg(custom_id || ' for ' || known, ', ' ORDER BY custom_id) AS example
    FROM (SELECT custom_id, known FROM cut ORDER BY custom_id LIMIT 3)
  ) AS shown
WHERE found >= 20
