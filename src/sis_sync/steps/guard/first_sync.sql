-- Accounts would leave because they are absent, and no file of this school system has had that effect before.
SELECT '' AS subject, found, base, '0' AS bound
FROM (SELECT count(*) AS found FROM absent) AS counted, totals
WHERE NOT :had_deleting_sync AND found > 0
