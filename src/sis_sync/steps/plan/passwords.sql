-- In:  plan, password_rows, passwords_of_existing.
-- Out: brought_passwords: one row per row of plan that is taken and brings a password, of a newcomer or of an account
--        that exists. is_set: the password is set, because the account has not got it from a file before.
CREATE TEMP TABLE brought_passwords AS
SELECT x.line, x.action = 'create' AS is_newcomer, x.action = 'create' OR coalesce(e.is_new, FALSE) AS is_set
FROM plan AS x
JOIN password_rows AS p ON p.line = x.line
LEFT JOIN passwords_of_existing AS e ON e.line = x.line
WHERE x.action = 'create' OR (x.action IN ('update', 'restore', 'unchanged') AND e.line IS NOT NULL)
