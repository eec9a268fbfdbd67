-- Accounts would leave because they are absent, and no file of this school system has done that before.
SELECT '' AS subject, found, (SELECT count(*) FROM base) AS base, '0' AS bound
FROM (SELECT count(*) AS found FROM absent)
WHERE NOT :had_deleting_sync AND found > 0
