-- More rows fail than the mode allows: a percentage of all rows, and at least 5.
SELECT '' AS subject, failed AS found, total AS base, CAST(:failed_rows_percent AS STRING) || ' %' AS bound
FROM (
  SELECT count(*) FILTER (WHERE action = 'failed') AS failed, count(*) + (SELECT people FROM pair_totals) AS total
  FROM plan WHERE line IS NOT NULL
) AS counted
WHERE failed >= 5 AND failed * 100 > total * :failed_rows_percent
