-- In:  settled, password_rows, kept_passwords, accounts, known_passwords.
-- Out: passwords_of_existing: one row per row that brings a password for an account that exists and will be Active.
--        is_new: it is not the last one that a file brought for the account.
-- Runs on DuckDB only. A file never sets the password of an account with rights. Accounts out of scope are unknown.
CREATE OR REPLACE TEMP TABLE passwords_of_existing AS
SELECT r.line,
  k.fingerprint IS DISTINCT FROM
    keyed_hash(concat(a.account_id, chr(10), coalesce(p.password, e.password)), :key) AS is_new
FROM password_rows AS p
JOIN settled AS r ON r.line = p.line
JOIN accounts AS a ON a.custom_id = r.custom_id
LEFT JOIN kept_passwords AS e ON e.line = p.line
LEFT JOIN known_passwords AS k ON k.account_id = a.account_id
WHERE a.custom_id <> '' AND a.in_scope AND a.rights = '' AND fold(r.status) = 'active'
