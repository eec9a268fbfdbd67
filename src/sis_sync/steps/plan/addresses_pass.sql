-- In:  taken, waits.
-- Out: taken: gains the rows that wait for a row that has failed;
--      waits: each row now waits for the row that its `next` row waited for.
-- Each pass looks twice as far ahead. After n passes a failure has reached rows 2 to the n steps away, so log2 of the
-- longest chain is enough.
INSERT INTO taken
SELECT w.line, w.email, w.holder FROM waits AS w
WHERE w.next IN (SELECT line FROM taken) AND NOT w.line IN (SELECT line FROM taken);

CREATE OR REPLACE TEMP TABLE waits AS
SELECT w.line, w.email, w.holder, n.next
FROM waits AS w JOIN waits AS n ON n.line = w.next
WHERE NOT w.line IN (SELECT line FROM taken)
