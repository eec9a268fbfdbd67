-- More than 2 % of the rows, and at least 5, have no @ in the address, or have one in a name or an ID: the columns do
-- not match their headers. Rows count if they could be split and are not ignored. Cells that do not decode are skipped.
WITH judged AS (
  SELECT line, coalesce(NOT email LIKE '%@%', FALSE)
    OR first_name LIKE '%@%' OR middle_name LIKE '%@%' OR last_name LIKE '%@%' OR custom_id LIKE '%@%'
    OR school_district_external_id LIKE '%@%' AS is_shifted
  FROM people
  WHERE NOT line IN (SELECT line FROM ignored)
)
SELECT 'for example line ' || example AS subject, found, base, '2 %' AS bound
FROM
  (
    SELECT count(*) + (SELECT people FROM pair_totals) AS base, count(*) FILTER (WHERE is_shifted) AS found FROM judged
  ) AS counted,
  (
    SELECT string_agg(CAST(line AS STRING), ', ' ORDER BY line) AS example
    FROM (SELECT line FROM judged WHERE is_shifted ORDER BY line LIMIT 3)
  ) AS shown
WHERE found >= 5 AND found * 100 > base * 2
