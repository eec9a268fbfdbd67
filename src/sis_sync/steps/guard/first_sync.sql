-- Nobody was ever deleted or disabled for being absent here, and this run would begin with it.
SELECT '' AS subject, found, (SELECT count(*) FROM base) AS base, '0' AS bound
FROM (SELECT count(*) AS found FROM absent)
WHERE NOT :had_deleting_sync AND found > 0
