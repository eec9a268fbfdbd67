-- In:  taken, accounts, people, made_by_lines.
-- Out: findings, failed: gain the rows of taken.
-- Only accounts in scope are named: the sender must not learn whose account another school has.
INSERT INTO findings
SELECT t.line, t.code, t.email,
  CASE WHEN t.holder = '' THEN ''
       WHEN a.in_scope THEN 'the account with ID ' || t.holder
       ELSE 'an account of another school' END,
  TRUE, coalesce(m.line || CASE WHEN m.says_value THEN t.email ELSE '' END, '')
FROM (SELECT *, CASE WHEN holder = '' THEN 'email.taken_unmanaged' ELSE 'email.taken' END AS code FROM taken) AS t
JOIN people AS p ON p.line = t.line
LEFT JOIN accounts AS a ON a.custom_id = t.holder AND t.holder <> ''
LEFT JOIN made_by_lines AS m ON m.code = t.code AND m.letter = substr(p.made, m.place, 1);

INSERT INTO failed SELECT line FROM taken
