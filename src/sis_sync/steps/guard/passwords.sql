-- Within 7 days, more than 20 accounts that exist get a password from a file. Or keys have sent more than 20 files that
-- would have set one, and no person approved them: then every file is held that brings one, also a password that an
-- account has already. Otherwise the state of a run would tell its sender whether a guess was right.
SELECT subject, found, found AS base, '20' AS bound
FROM (
  SELECT 1 AS place, 'people who have an account would have got a password from a file' AS subject,
    count(CASE WHEN is_set THEN 1 END) + :recent_passwords_of_existing AS found,
    count(CASE WHEN is_set THEN 1 END) AS here
  FROM brought_passwords WHERE NOT is_newcomer
  UNION ALL
  SELECT 2, 'files of API keys would have set other passwords for people who have an account, which no one approved',
    CAST(:recent_password_tries AS BIGINT), count(*)
  FROM brought_passwords WHERE NOT is_newcomer
) AS judged
WHERE here > 0 AND found > 20
ORDER BY place
LIMIT 1
