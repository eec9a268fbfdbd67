-- The file has at least 20 % fewer rows than the last applied file of the mode, and absent accounts leave.
SELECT '' AS subject, rows_now AS found, :last_rows AS base, '20 % fewer' AS bound
FROM (
  SELECT count(*) + (SELECT people FROM pair_totals) AS rows_now FROM plan WHERE line IS NOT NULL
) AS counted
WHERE :acts_on_absence AND rows_now < :last_rows AND rows_now * 100 <= :last_rows * 80
