-- In: the accounts of one school system with IDs after :after and up to :until.
-- Out: one row per live account and per deleted account that can still be restored, as in the directory file: text
-- only; an empty cell means live, in scope, without rights, and so on. Runs on PostgreSQL and SQLite.
SELECT
  a.first_name, a.middle_name, a.last_name, a.email,
  coalesce(a.custom_id, '') AS custom_id,
  coalesce(o.external_id, '') AS school_district_external_id,
  a.user_type, a.position, a.grade, a.status,
  CASE WHEN a.deleted_at IS NULL THEN '' ELSE 'deleted' END AS state,
  CASE WHEN a.is_protected THEN 'yes' ELSE '' END AS protected,
  CAST(a.id AS text) AS account_id,
  CASE WHEN a.is_held_by_hand THEN 'yes' ELSE '' END AS held_by_hand,
  coalesce(h.kind, '') AS rights,
  CASE WHEN %(whole)s = 1 OR a.org_id = %(scope)s THEN '' ELSE 'no' END AS in_scope,
  coalesce(substr(CAST(a.deleted_at AS text), 1, 10), '') AS deleted_on,
  coalesce(CAST(a.edited_names AS text), '') AS edited_names
FROM accounts_account a
JOIN orgs_org o ON o.id = a.org_id
LEFT JOIN (
  -- min() returns "district" for a person who manages both the district and a school.
  SELECT r.account_id, min(m.kind) AS kind FROM orgs_right r JOIN orgs_org m ON m.id = r.org_id
  WHERE m.school_system_id = %(school_system)s
  GROUP BY r.account_id
) AS h ON h.account_id = a.id
WHERE a.school_system_id = %(school_system)s AND a.id > %(after)s AND a.id <= %(until)s
  AND (a.deleted_at IS NULL OR (a.deleted_at > %(restorable_since)s AND a.custom_id IS NOT NULL))
