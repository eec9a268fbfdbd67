-- In:  people, failed, ignored, absent, accounts.
-- Out: clashes: one row per row that takes an address and per account that has it now, with the line of the row that
--        would release it (next), if there is one.
-- Only rows without errors are judged. An account that is deleted, or that this run deletes, has no address.
CREATE TEMP TABLE moving AS
SELECT line, custom_id, email, email_key FROM people AS p
WHERE (NOT is_same OR is_deleted) AND email_key <> ''
  AND NOT line IN (SELECT line FROM failed) AND NOT line IN (SELECT line FROM ignored)
  AND NOT EXISTS (
    SELECT 1 FROM accounts AS a WHERE a.custom_id = p.custom_id AND a.email_key = p.email_key AND NOT a.is_deleted);

CREATE TEMP TABLE clashes AS
SELECT m.line, m.email, h.custom_id AS holder, g.line AS next
FROM moving AS m
JOIN accounts AS h ON h.email_key = m.email_key AND NOT h.is_deleted AND h.custom_id <> m.custom_id
LEFT JOIN moving AS g ON g.custom_id = h.custom_id AND g.email_key <> m.email_key
WHERE NOT EXISTS (SELECT 1 FROM absent AS b WHERE b.custom_id = h.custom_id AND b.action = 'delete')
