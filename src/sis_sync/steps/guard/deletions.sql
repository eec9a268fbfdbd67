-- More accounts leave than the mode allows: of all, a percentage (and at least 5) or a number; of a slice, which is a
-- school, a user type or both, a percentage (and at least 5). The message counts everyone who is Active or leaving, so
-- that no more can leave than there are.
SELECT trim(user_type || ' ' || CASE WHEN org = '' THEN '' ELSE 'at ' || org END) AS subject, leaving AS found,
  living + idle AS base,
  CASE WHEN org = '' AND user_type = '' AND leaving * 100 <= living * :deletions_percent
         THEN CAST(:deletions_count AS STRING)
       WHEN org = '' AND user_type = '' THEN CAST(:deletions_percent AS STRING) || ' %'
       ELSE CAST(:deletions_slice_percent AS STRING) || ' %' END AS bound
FROM (SELECT org, user_type, base AS living, leaving, idle FROM slices) AS s
WHERE (org = '' AND user_type = ''
       AND (leaving > :deletions_count OR (leaving >= 5 AND leaving * 100 > living * :deletions_percent)))
   OR ((org <> '' OR user_type <> '') AND leaving >= 5 AND leaving * 100 > living * :deletions_slice_percent)
ORDER BY org, user_type
