-- One row changes first name, last name and address of an account together: an ID given to somebody else?
SELECT 'for example ID ' || min(custom_id) AS subject, count(*) AS found, max(matched) AS base, '0' AS bound
FROM changed, matched_total
WHERE has_match(fields, 'first_name') AND has_match(fields, 'last_name') AND has_match(fields, 'email')
HAVING count(*) > 0
