-- Accounts leaving: over the mode's share or number of all, or over the slice's share of a school or user type.
-- Told of all who are Active or leave, or more would leave than there are.
SELECT trim(user_type || ' ' || CASE WHEN org = '' THEN '' ELSE 'at ' || org END) AS subject, leaving AS found,
  living + idle AS base,
  CASE WHEN org = '' AND user_type = '' AND leaving * 100 <= living * :deletions_percent THEN CAST(:deletions_count AS STRING)
       WHEN org = '' AND user_type = '' THEN CAST(:deletions_percent AS STRING) || ' %'
       ELSE CAST(:deletions_slice_percent AS STRING) || ' %' END AS bound
FROM (SELECT org, user_type, base AS living, leaving, idle FROM slices) AS s
WHERE (org = '' AND user_type = ''
       AND (leaving > :deletions_count OR (leaving >= 5 AND leaving * 100 > living * :deletions_percent)))
   OR ((org <> '' OR user_type <> '') AND leaving >= 5 AND leaving * 100 > living * :deletions_slice_percent)
ORDER BY org, user_type
