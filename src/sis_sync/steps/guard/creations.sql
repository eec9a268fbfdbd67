-- Within 7 days, more than 25 % of the accounts, and at least 50, are created or restored (5 if there are fewer than 20
-- accounts), except by a first import: the school system never had a managed account of the mode's types. Judged for
-- the mode and for the whole school system. Or more than 20 newcomers bring their own password.
WITH newcomers AS (
  SELECT custom_id, bool_or(is_of_mode) AS is_of_mode
  FROM (
    SELECT custom_id, TRUE AS is_of_mode FROM arriving
    UNION ALL
    SELECT custom_id, TRUE FROM changed WHERE action = 'restore'
    UNION ALL
    SELECT a.custom_id, a.in_scope AND a.user_type IN :mode_types
    FROM accounts AS a JOIN lately AS l ON l.account_id = a.account_id
    WHERE l.has_arrived AND a.custom_id <> ''
  ) AS each_time
  GROUP BY custom_id
)
SELECT subject, found, base, bound
FROM (
  SELECT CASE WHEN is_all THEN 2 ELSE 1 END AS place, 'been created or restored' AS subject,
    CASE WHEN is_all THEN of_all ELSE of_mode END AS found, base, CASE WHEN base < 20 THEN '4' ELSE '25 %' END AS bound
  FROM (SELECT count(*) AS of_all, count(*) FILTER (WHERE is_of_mode) AS of_mode FROM newcomers) AS counted, totals
  WHERE NOT :is_first_import
  UNION ALL
  SELECT 3, 'arrived with a password from a file', bringing + :recent_passwords, arriving + :recent_passwords, '20'
  FROM (
    SELECT count(*) AS arriving, count(p.line) AS bringing
    FROM arriving AS n LEFT JOIN password_rows AS p ON p.line = n.line
  ) AS with_password
  WHERE bringing > 0
) AS judged
WHERE CASE WHEN place = 3 THEN found > 20
           WHEN base < 20 THEN found >= 5
           ELSE found >= 50 AND found * 100 > base * 25 END
ORDER BY place
