-- In: the orgs of one school system. Out: one row per org that a file can name. Runs on PostgreSQL and SQLite.
SELECT
  o.external_id, o.name, o.kind,
  CASE WHEN %(whole)s = 1 OR o.id = %(scope)s THEN 'yes' ELSE 'no' END AS in_scope
FROM orgs_org o
WHERE o.school_system_id = %(school_system)s AND o.external_id IS NOT NULL AND o.external_id <> ''
ORDER BY o.id
