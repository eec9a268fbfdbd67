-- In:  accounts.
-- Out: name_edits: one row per account with names that a person edited on the server: for each name whose edit is in
--        force, what the SIS had then and the day. An edit is in force while the account has the name that was typed,
--        until a run ends it. Names are compared cleaned, as they would be stored now: earlier versions trimmed less.
INSERT INTO name_edits
SELECT custom_id,
  CASE WHEN is_first_name_edited THEN clean(edits ->> '$.first_name.sis') END AS first_name,
  CASE WHEN is_middle_name_edited THEN clean(edits ->> '$.middle_name.sis') END AS middle_name,
  CASE WHEN is_last_name_edited THEN clean(edits ->> '$.last_name.sis') END AS last_name,
  CASE WHEN is_first_name_edited THEN edits ->> '$.first_name.on' END AS first_name_edited_on,
  CASE WHEN is_middle_name_edited THEN edits ->> '$.middle_name.on' END AS middle_name_edited_on,
  CASE WHEN is_last_name_edited THEN edits ->> '$.last_name.on' END AS last_name_edited_on
FROM (
  SELECT custom_id, edits,
    clean(edits ->> '$.first_name.here') = first_name AND (edits ->> '$.first_name.ended_by') IS NULL
      AS is_first_name_edited,
    clean(edits ->> '$.middle_name.here') = middle_name AND (edits ->> '$.middle_name.ended_by') IS NULL
      AS is_middle_name_edited,
    clean(edits ->> '$.last_name.here') = last_name AND (edits ->> '$.last_name.ended_by') IS NULL
      AS is_last_name_edited
  FROM (
    SELECT *, TRY_CAST(edited_names AS JSON) AS edits FROM accounts WHERE custom_id <> '' AND edited_names <> ''
  ) AS a
) AS b
