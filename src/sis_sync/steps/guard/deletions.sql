-- More accounts leave than the mode allows: of all, a percentage (and at least 5) or a number; of a slice, which is
-- a school, a user type or both, a percentage (and at least 5). Of fewer than 20, no percentage counts: 5, or more
-- than half and at least 2 (in a slice 3). Accounts that were Disabled are judged apart, against the Disabled ones.
-- The message counts everyone who was there or leaves, so that no more can leave than there are.
SELECT
  concat_ws(' ', nullif(user_type, ''), nullif('at ' || org, 'at '), CASE WHEN is_idle THEN 'that are Disabled' END)
    AS subject,
  leaving AS found, base + extra AS base,
  CASE WHEN base < 20 AND leaving >= 5 THEN '4'
       WHEN base < 20 THEN '50 %'
       WHEN is_whole AND (leaving < 5 OR leaving * 100 <= base * :deletions_percent)
         THEN CAST(:deletions_count AS STRING)
       WHEN is_whole THEN CAST(:deletions_percent AS STRING) || ' %'
       ELSE CAST(:deletions_slice_percent AS STRING) || ' %' END AS bound
FROM (SELECT *, org = '' AND user_type = '' AS is_whole FROM slices) AS s
WHERE leaving > 0 AND (
  CASE WHEN base < 20 THEN leaving >= 5 OR (leaving >= CASE WHEN is_whole THEN 2 ELSE 3 END AND leaving * 2 > base)
       WHEN is_whole THEN leaving >= 5 AND leaving * 100 > base * :deletions_percent
       ELSE leaving >= 5 AND leaving * 100 > base * :deletions_slice_percent END
  OR (is_whole AND leaving > :deletions_count))
ORDER BY is_idle, org, user_type
