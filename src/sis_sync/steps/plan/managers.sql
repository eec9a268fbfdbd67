-- In:  people, failed, ignored, absent, accounts.
-- Out: findings, failed: gain the rows that would leave the district without an active manager;
--      absent: loses the accounts whose absence would do so.
CREATE TEMP TABLE leaving_managers AS
SELECT a.custom_id, p.line
FROM accounts AS a
LEFT JOIN (
  SELECT custom_id, line FROM people
  WHERE status = 'Disabled' AND NOT line IN (SELECT line FROM failed) AND NOT line IN (SELECT line FROM ignored)
) AS p ON p.custom_id = a.custom_id
WHERE a.rights = 'district' AND a.status = 'Active' AND NOT a.is_deleted AND a.custom_id <> ''
  AND (p.line IS NOT NULL OR a.custom_id IN (SELECT custom_id FROM absent));

CREATE TEMP TABLE last_managers AS
SELECT custom_id, line FROM leaving_managers
WHERE (SELECT count(*) FROM accounts WHERE rights = 'district' AND status = 'Active' AND NOT is_deleted)
    = (SELECT count(*) FROM leaving_managers);

INSERT INTO findings SELECT line, 'account.last_manager', custom_id, '' FROM last_managers WHERE line IS NOT NULL;
INSERT INTO failed SELECT line FROM last_managers WHERE line IS NOT NULL;
DELETE FROM absent WHERE custom_id IN (SELECT custom_id FROM last_managers)
