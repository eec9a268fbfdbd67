-- In:  clashes.
-- Out: taken: one row per row whose address another account certainly keeps;
--      waits: one row per row whose address is free only if the row on line `next` releases it.
CREATE TEMP TABLE taken AS
SELECT line, max(email) AS email, max(holder) AS holder FROM clashes WHERE next IS NULL GROUP BY line;

CREATE TEMP TABLE waits AS
SELECT line, max(email) AS email, max(holder) AS holder, max(next) AS next FROM clashes
WHERE next IS NOT NULL AND NOT line IN (SELECT line FROM taken)
GROUP BY line
