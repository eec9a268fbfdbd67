-- In:  roster, accounts, held_addresses.
-- Out: numbered: one row per row of roster with a made address of a series: line, and the address that the person gets;
--      unnumbered: one row per person who got no number, because :spare was too small.
-- The series of an address is the address itself, and with 2, 3 and so on before the @. An account keeps its address of
-- the series. The others get the first free ones in the order of their custom IDs, Disabled people last, because most
-- of them are not made. Runs on DuckDB only.
CREATE OR REPLACE TEMP TABLE made_addresses AS
SELECT *,
  coalesce(starts_with(old, local) AND ends_with(old, domain)
    AND matches(substr(old, length(local) + 1, length(old) - length(local) - length(domain)), '|[2-9]|[1-9][0-9]+')
    AND NOT (is_deleted AND old IN (SELECT email_key FROM accounts WHERE NOT is_deleted)), FALSE) AS is_kept
FROM (
  SELECT r.line, r.custom_id, r.email, fold(r.email) AS base, split_part(fold(r.email), '@', 1) AS local,
    '@' || split_part(fold(r.email), '@', 2) AS domain, coalesce(fold(r.status) = 'disabled', FALSE) AS is_disabled,
    a.email AS old_email, a.email_key AS old, a.is_deleted
  FROM roster AS r
  LEFT JOIN (SELECT * FROM accounts WHERE custom_id <> '') AS a ON a.custom_id = r.custom_id
  WHERE r.is_email_made AND NOT r.is_skipped AND NOT :is_placeholder AND matches(r.email, '[^@]+@[^@]+')
    AND NOT (a.custom_id IS NOT NULL AND (:keeps_email OR (:keeps_email_while_live AND NOT a.is_deleted)))
);

CREATE OR REPLACE TEMP TABLE numbering AS
SELECT base, custom_id, any_value(local) AS local, any_value(domain) AS domain,
  row_number() OVER (PARTITION BY base ORDER BY bool_and(is_disabled), custom_id) AS place
FROM made_addresses WHERE NOT is_kept
GROUP BY base, custom_id;

-- Numbers of a series that are not free, because accounts, rows with an address of their own or other made addresses
-- have them. The last digits of one address may be numbers of several series.
CREATE OR REPLACE TEMP TABLE taken_numbers AS
SELECT DISTINCT series AS base, CASE WHEN digits = '' THEN 1 ELSE CAST(digits AS BIGINT) END AS number
FROM (
  SELECT is_made, left(local, length(local) - cut) || domain AS series, right(local, cut) AS digits
  FROM (
    SELECT is_made, split_part(taken, '@', 1) AS local, '@' || split_part(taken, '@', 2) AS domain,
      unnest(range(0, 8)) AS cut
    FROM (
      SELECT email_key AS taken, FALSE AS is_made FROM accounts WHERE email_key <> ''
      UNION SELECT fold(email), FALSE FROM roster WHERE NOT is_email_made AND NOT is_skipped AND email <> ''
      UNION SELECT base, TRUE FROM numbering
    ) AS addresses
  ) AS ends
  WHERE cut < length(local) AND matches(right(local, cut), '|[2-9]|[1-9][0-9]+')
) AS of_series
WHERE NOT (is_made AND digits = '') AND series IN (SELECT base FROM numbering);

-- The digits between two series: aruiz22 is number 22 of aruiz and number 2 of aruiz2. The longer one gives it.
CREATE OR REPLACE TEMP TABLE longer_series AS
SELECT base, digits
FROM (
  SELECT left(local, length(local) - cut) || domain AS base, right(local, cut) AS digits
  FROM (SELECT local, domain, unnest(range(1, 8)) AS cut FROM (SELECT DISTINCT local, domain FROM numbering) AS series)
  WHERE cut < length(local) AND matches(right(local, cut), '[1-9][0-9]*')
) AS ends
WHERE base IN (SELECT base FROM numbering);

CREATE OR REPLACE TEMP TABLE free_numbers AS
SELECT base, number, row_number() OVER (PARTITION BY base ORDER BY number) AS place
FROM (
  SELECT n.base, n.local, n.domain, unnest(range(1, n.people + coalesce(t.numbers, 0) + 1 + :spare)) AS number
  FROM (
    SELECT base, any_value(local) AS local, any_value(domain) AS domain, count(*) AS people
    FROM numbering GROUP BY base
  ) AS n
  LEFT JOIN (SELECT base, count(*) AS numbers FROM taken_numbers GROUP BY base) AS t ON t.base = n.base
) AS c
WHERE NOT EXISTS (SELECT 1 FROM taken_numbers AS t WHERE t.base = c.base AND t.number = c.number)
  AND NOT EXISTS (
    SELECT 1 FROM longer_series AS s WHERE s.base = c.base AND starts_with(CAST(c.number AS STRING), s.digits)
      AND matches(substr(CAST(c.number AS STRING), length(s.digits) + 1), '[2-9]|[1-9][0-9]+'))
  AND NOT (:has_held AND keyed_hash(
    local || CASE WHEN number = 1 THEN '' ELSE CAST(number AS STRING) END || domain, :key) IN (
      SELECT digest FROM held_addresses));

CREATE OR REPLACE TEMP TABLE numbered AS
SELECT m.line, CASE WHEN m.is_kept THEN m.old_email
                    WHEN f.number = 1 THEN m.email
                    ELSE replace(m.email, '@', CAST(f.number AS STRING) || '@') END AS email
FROM made_addresses AS m
LEFT JOIN numbering AS n ON n.base = m.base AND n.custom_id = m.custom_id
LEFT JOIN free_numbers AS f ON f.base = n.base AND f.place = n.place
WHERE m.is_kept OR f.number IS NOT NULL;

CREATE OR REPLACE TEMP TABLE unnumbered AS
SELECT line FROM made_addresses WHERE NOT line IN (SELECT line FROM numbered)
