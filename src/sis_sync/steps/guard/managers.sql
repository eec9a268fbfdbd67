-- An account with rights would be deleted, disabled, moved or restored, or would change its address.
SELECT 'IDs ' || string_agg(a.custom_id, ', ' ORDER BY a.custom_id) AS subject, count(*) AS found,
  (SELECT count(*) FROM accounts WHERE rights <> '') AS base, '0' AS bound
FROM accounts AS a JOIN plan AS x ON x.custom_id = a.custom_id
WHERE a.rights <> '' AND a.custom_id <> ''
  AND (x.action IN ('delete', 'disable', 'restore')
    OR (x.action = 'update' AND has_match(x.fields, 'email|school_district_external_id|status')))
HAVING count(*) > 0
