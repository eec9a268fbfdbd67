-- In:  leaving_managers, accounts.
-- Out: findings, failed: gain the rows that would leave the district without an active manager;
--      absent: loses the accounts whose absence would do so.
CREATE TEMP TABLE last_managers AS
SELECT custom_id, line FROM leaving_managers
WHERE (SELECT count(*) FROM accounts WHERE rights = 'district' AND status = 'Active' AND NOT is_deleted)
    = (SELECT count(*) FROM leaving_managers);

INSERT INTO findings
SELECT line, 'account.last_manager', custom_id, '', TRUE, '' FROM last_managers WHERE line IS NOT NULL;
INSERT INTO failed SELECT line FROM last_managers WHERE line IS NOT NULL;
DELETE FROM absent WHERE custom_id IN (SELECT custom_id FROM last_managers)
