-- DuckDB. In: the plan file (:plan), whether to include the accounts to create (:with_newcomers).
-- Out: one row per account to change, in the order of the file: the values to store, and the values for the history
-- (the changed fields of an update, all fields of a create, the status of a leaver). For a leaver, only an undo has
-- other fields too: it puts their old values back.
WITH touched AS (
  SELECT *,
    CASE action
      WHEN 'create' THEN []
      WHEN 'unchanged' THEN []
      WHEN 'update' THEN written
      WHEN 'restore' THEN list_append(list_filter(written, lambda f: f <> 'status'), 'status')
      ELSE list_append(list_filter(written, lambda f: f <> 'status'), 'status')
    END AS kept
  FROM (
    -- A difference only in the case of the address is not a change. If other fields change, the history contains it.
    SELECT *, string_split(concat_ws(';', nullif(fields, ''),
      CASE WHEN lower(email) = lower(old_email) AND email <> old_email THEN 'email' END), ';') AS written
    FROM read_parquet(:plan, file_row_number = true)
    WHERE action IN ('update', 'restore', 'delete', 'disable') OR (action = 'create' AND :with_newcomers)
      OR (action = 'unchanged' AND brings_password)
  )
),
valued AS (
  SELECT *,
    CASE WHEN action <> 'create' THEN list_filter([
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
    ], lambda cell: list_contains(kept, cell.field)) END AS cells
  FROM touched
)
SELECT
  file_row_number AS seq, line, action, CAST(nullif(account_id, '') AS BIGINT) AS account_id, custom_id,
  first_name, middle_name, last_name, email, school_district_external_id, user_type, position, grade, status,
  lower(email) AS address, brings_password,
  CASE action WHEN 'create' THEN '{}' ELSE CAST(to_json(map_from_entries(
    list_transform(cells, lambda cell: {'k': cell.field, 'v': cell.old}))) AS VARCHAR) END AS "before",
  CASE action WHEN 'create' THEN CAST(to_json({
      'first_name': first_name, 'middle_name': middle_name, 'last_name': last_name, 'email': email,
      'custom_id': custom_id, 'school_district_external_id': school_district_external_id, 'user_type': user_type,
      'position': position, 'grade': grade, 'status': status}) AS VARCHAR)
    ELSE CAST(to_json(map_from_entries(
      list_transform(cells, lambda cell: {'k': cell.field, 'v': cell.new}))) AS VARCHAR) END AS "after"
FROM valued
