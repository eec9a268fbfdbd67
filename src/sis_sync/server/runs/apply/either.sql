-- PostgreSQL and SQLite: statements about the temporary tables that both databases run as they are.

-- statement: forget_changes
DROP TABLE IF EXISTS run_change

-- statement: forget_seen
DROP TABLE IF EXISTS run_seen

-- statement: forget_orgs
DROP TABLE IF EXISTS run_org

-- statement: forget_newcomers
DROP TABLE IF EXISTS run_newcomer

-- statement: await_passwords_of_written
INSERT INTO accounts_filepassword (account_id, run_id, line, outcome, fingerprint)
SELECT n.id, %(run)s, n.line, 'waiting', '' FROM run_newcomer n WHERE n.brings_password
