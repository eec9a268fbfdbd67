-- Within 7 days, more than 25 % of the accounts, and at least 50, are created or restored (5 if there are fewer than 20
-- accounts), except by a first import: the school system had no managed account of the mode's types. Or more than 20
-- newcomers bring their own password.
WITH newcomers AS (
  SELECT custom_id FROM arriving
  UNION
  SELECT custom_id FROM changed WHERE action = 'restore'
  UNION
  SELECT a.custom_id FROM accounts AS a JOIN lately AS l ON l.account_id = a.account_id
  WHERE l.has_arrived AND a.in_scope AND a.user_type IN :mode_types
)
SELECT subject, found, base, bound
FROM (
  SELECT 1 AS place, 'been created or restored' AS subject, found, base,
    CASE WHEN base < 20 THEN '4' ELSE '25 %' END AS bound,
    NOT :is_first_import
      AND CASE WHEN base < 20 THEN found >= 5 ELSE found >= 50 AND found * 100 > base * 25 END AS holds
  FROM (SELECT count(*) AS found FROM newcomers) AS counted, totals
  UNION ALL
  SELECT 2, 'arrived with a password from a file', bringing + :recent_passwords, arriving + :recent_passwords, '20',
    bringing > 0 AND bringing + :recent_passwords > 20
  FROM (
    SELECT count(*) AS arriving, count(p.line) AS bringing
    FROM arriving AS n LEFT JOIN password_rows AS p ON p.line = n.line
  ) AS with_password
) AS judged
WHERE holds
ORDER BY place
