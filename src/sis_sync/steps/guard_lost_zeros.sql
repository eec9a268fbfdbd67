-- Unknown custom IDs that equal known ones but for leading zeros: a spreadsheet took them for numbers.
SELECT 'for example ' || min(p.custom_id) || ' for ' || min(a.custom_id) AS subject, count(DISTINCT p.custom_id) AS found,
  (SELECT count(*) FROM accounts WHERE custom_id <> '') AS base, CAST(:lost_zeros - 1 AS STRING) AS bound
FROM people AS p
JOIN accounts AS a ON replace_all(a.custom_id, '^0+', '') = replace_all(p.custom_id, '^0+', '')
WHERE p.has_id AND NOT p.is_known AND NOT p.is_skipped AND a.custom_id <> '' AND a.custom_id <> p.custom_id
HAVING count(DISTINCT p.custom_id) >= :lost_zeros
