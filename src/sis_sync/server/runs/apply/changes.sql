-- DuckDB. In: the plan file (:plan), and what the plan saw of each account that it changes (:seen).
-- Out: one row per account that applying touches, in the order of the plan: the values to store, the values that must
-- still stand (seen_*), and what the history keeps: of an update the changed fields, of a create all, of a leaver the
-- status.
WITH touched AS (
  SELECT *,
    CASE action
      WHEN 'create' THEN [
        'first_name', 'middle_name', 'last_name', 'email', 'custom_id', 'school_district_external_id',
        'user_type', 'position', 'grade', 'status']
      WHEN 'update' THEN string_split(fields, ';')
      WHEN 'restore' THEN list_append(list_filter(string_split(fields, ';'), lambda f: f <> 'status'), 'status')
      ELSE ['status']
    END AS kept
  FROM read_parquet(:plan)
  WHERE action IN ('create', 'update', 'restore', 'delete', 'disable')
),
valued AS (
  SELECT *,
    list_filter([
      {'field': 'first_name', 'old': old_first_name, 'new': first_name},
      {'field': 'middle_name', 'old': old_middle_name, 'new': middle_name},
      {'field': 'last_name', 'old': old_last_name, 'new': last_name},
      {'field': 'email', 'old': old_email, 'new': email},
      {'field': 'custom_id', 'old': old_custom_id, 'new': custom_id},
      {'field': 'school_district_external_id',
       'old': old_school_district_external_id, 'new': school_district_external_id},
      {'field': 'user_type', 'old': old_user_type, 'new': user_type},
      {'field': 'position', 'old': old_position, 'new': position},
      {'field': 'grade', 'old': old_grade, 'new': grade},
      {'field': 'status',
       'old': CASE action WHEN 'restore' THEN 'Deleted' ELSE old_status END,
       'new': CASE action WHEN 'delete' THEN 'Deleted' WHEN 'disable' THEN 'Disabled' ELSE status END}
    ], lambda cell: list_contains(kept, cell.field)) AS cells
  FROM touched
)
SELECT
  v.seq, v.line, v.action, CAST(nullif(v.account_id, '') AS BIGINT) AS account_id, v.custom_id,
  v.first_name, v.middle_name, v.last_name, v.email, v.school_district_external_id, v.user_type, v.position, v.grade,
  v.status,
  coalesce(s.first_name, '') AS seen_first_name, coalesce(s.middle_name, '') AS seen_middle_name,
  coalesce(s.last_name, '') AS seen_last_name, coalesce(s.email, '') AS seen_email,
  coalesce(s.custom_id, '') AS seen_custom_id,
  coalesce(s.school_district_external_id, '') AS seen_school_district_external_id,
  coalesce(s.user_type, '') AS seen_user_type, coalesce(s.position, '') AS seen_position,
  coalesce(s.grade, '') AS seen_grade, coalesce(s.status, '') AS seen_status,
  lower(v.email) AS address, lower(coalesce(s.email, '')) AS seen_address, v.password_hash,
  CASE v.action WHEN 'create' THEN '{}' ELSE CAST(to_json(map_from_entries(
    list_transform(v.cells, lambda cell: {'k': cell.field, 'v': cell.old}))) AS VARCHAR) END AS "before",
  CAST(to_json(map_from_entries(
    list_transform(v.cells, lambda cell: {'k': cell.field, 'v': cell.new}))) AS VARCHAR) AS "after"
FROM valued v
LEFT JOIN read_parquet(:seen) s ON s.account_id = v.account_id AND v.action <> 'create'
ORDER BY v.seq
