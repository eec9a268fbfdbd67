-- One row changes first name, last name and address of an account together: the ID may have been given to someone else.
WITH swapped AS (
  SELECT custom_id FROM changed
  WHERE has_match(fields, 'first_name') AND has_match(fields, 'last_name') AND has_match(fields, 'email')
)
SELECT 'for example ' || example AS subject, found, matched AS base, '0' AS bound
FROM
  (SELECT count(*) AS found FROM swapped) AS counted,
  totals,
  (
    SELECT
      string_agg('ID ' || custom_id || ' from ' || old_name || ' to ' || new_name, ', ' ORDER BY custom_id) AS example
    FROM (
      SELECT p.custom_id, a.first_name || ' ' || a.last_name AS old_name, p.first_name || ' ' || p.last_name AS new_name
      FROM (SELECT custom_id FROM swapped ORDER BY custom_id LIMIT 3) AS s
      JOIN accounts AS a ON a.custom_id = s.custom_id
      JOIN (SELECT * FROM people WHERE line IN (SELECT line FROM plan WHERE action IN ('update', 'restore'))) AS p
        ON p.custom_id = s.custom_id
    )
  ) AS shown
WHERE NOT is_all AND found > 0
