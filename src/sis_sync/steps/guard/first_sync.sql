-- Accounts would leave because they are absent. No file of this school system has had that effect before, and no
-- complete list was the first to create people of these types.
SELECT '' AS subject, found, base, '0' AS bound
FROM (SELECT count(*) AS found FROM absent) AS counted, totals
WHERE NOT is_all AND NOT :had_deleting_sync AND found > 0
