-- At least 5 custom IDs look like 1.2E+05, or are numbers of 16 digits or more that all end in 0: a spreadsheet rounded
-- them. An ID counts once, however many rows have it.
WITH rounded AS (
  SELECT min(line) AS line, custom_id
  FROM people
  WHERE NOT is_skipped AND (
    (custom_id LIKE '%+%' AND matches(custom_id, '[0-9]([.,][0-9]+)?[eE]\+[0-9]+'))
    OR (length(custom_id) > 15 AND matches(custom_id, '[0-9]{15,}0')
        AND NOT EXISTS (
          SELECT 1 FROM people AS o WHERE length(o.custom_id) > 15 AND matches(o.custom_id, '[0-9]{15,}[1-9]')))
  )
  GROUP BY custom_id
)
SELECT 'for example ' || example AS subject, found,
  (SELECT count(*) FROM people WHERE has_id) + (SELECT people FROM pair_totals) AS base, '4' AS bound
FROM
  (SELECT count(*) AS found FROM rounded) AS counted,
  (
    SELECT string_agg(custom_id || ' on line ' || CAST(line AS STRING), ', ' ORDER BY line) AS example
    FROM (SELECT line, custom_id FROM rounded ORDER BY line LIMIT 3)
  ) AS shown
WHERE found >= 5
