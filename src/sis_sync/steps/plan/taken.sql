-- In:  taken, accounts.
-- Out: findings, failed: gain the rows of taken.
-- Only accounts in scope are named: the sender must not learn whose account another school has.
INSERT INTO findings
SELECT t.line, CASE WHEN t.holder = '' THEN 'email.taken_unmanaged' ELSE 'email.taken' END, t.email,
  CASE WHEN t.holder = '' THEN ''
       WHEN a.in_scope THEN 'the account with ID ' || t.holder
       ELSE 'an account of another school' END
FROM taken AS t LEFT JOIN accounts AS a ON a.custom_id = t.holder AND t.holder <> '';

INSERT INTO failed SELECT line FROM taken
