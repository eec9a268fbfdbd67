-- The people of a school system, their history and the audit log. Same people for the same number.
-- In:  %(people)s, %(schools)s, %(system)s, %(actor)s
-- Out: rows of accounts (one per person; 1 in 200 without an ID, 1 in 50 Disabled, 1 in 100 deleted), changes and
--      entries.
CREATE TEMP TABLE school AS
SELECT row_number() OVER (ORDER BY id) - 1 AS n, id FROM orgs_org
WHERE school_system_id = %(system)s AND kind = 'school';
INSERT INTO accounts_account (
  password, school_system_id, org_id, first_name, middle_name, last_name, email, custom_id, user_type, position, grade,
  status, is_protected, protected_reason, is_held_by_hand, deleted_at
)
SELECT
  '!', %(system)s, school.id,
  (ARRAY['Ana', 'Ben', 'Zoë', 'Núria', 'José', 'Wei', 'Fatima', 'O''Neil', 'Mary-Jane', 'Łukasz'])[1 + h %% 10],
  CASE WHEN h %% 7 < 2 THEN 'Lee' ELSE '' END,
  (ARRAY['Bar', 'Cole', 'Dun', 'Gar', 'Hol', 'Kes', 'Lin', 'Mor', 'Nor', 'Ost', 'Per', 'Ros'])[1 + h / 10 %% 12]
  || (ARRAY['a', 'be', 'ci', 'do', 'e', 'fo', 'ga', 'hi'])[1 + h / 120 %% 8]
  || (ARRAY['ber', 'dal', 'ford', 'gard', 'ley', 'man', 'nell', 'rick', 'sen', 'ton'])[1 + h / 960 %% 10],
  'u' || i || '@district.example',
  CASE WHEN i %% 200 = 7 THEN NULL ELSE lpad(i::text, 8, '0') END,
  CASE WHEN h %% 10 = 0 THEN 'Teacher' ELSE 'Student' END,
  CASE WHEN h %% 10 = 0 THEN 'Math' ELSE '' END,
  CASE WHEN h %% 10 = 0 THEN '' ELSE (1 + i %% 12)::text END,
  CASE WHEN i %% 50 = 3 THEN 'Disabled' ELSE 'Active' END,
  FALSE, '', FALSE,
  CASE WHEN i %% 100 = 9 THEN now() END
FROM generate_series(1, %(people)s) AS i
CROSS JOIN LATERAL (SELECT abs(hashint8(i)::bigint) AS h) AS hashed
JOIN school ON school.n = i %% %(schools)s;
INSERT INTO audit_accountchange (school_system_id, account_id, actor_id, action, before, after, changed_at)
SELECT school_system_id, id, %(actor)s, 'create', '{}', '{"status": "Active"}', now() FROM accounts_account;
INSERT INTO audit_auditentry (school_system_id, actor_id, action, detail, at)
SELECT school_system_id, id, 'signed_in', '{}', now() - make_interval(secs => id * 7 + n)
FROM accounts_account CROSS JOIN generate_series(1, 2) AS n
