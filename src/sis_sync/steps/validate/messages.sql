-- In:  all_findings, finding_texts, guesses, people.
-- Out: said: one row per finding of a row: line, code, is_error, the fix and its key, and the sentence;
--      remarks: one row per row with findings: line, codes, and the message, which has file and line, the sentences,
--        the consequence and the fixes.
-- These are views, because planning adds rows to findings. The lists have one expression for each code or fix, in
-- order: an ordered string_agg takes five times as long.
CREATE TEMP VIEW said AS
SELECT line, code, is_error, fix, fix_key, escaped(sentence) AS sentence
FROM (
  SELECT f.line, f.code, f.is_error,
    CASE WHEN f.made_by = '' THEN t.fix ELSE t.made_head || escaped(f.made_by) || t.made_tail END AS fix,
    CASE WHEN f.made_by = '' THEN t.fix_key ELSE t.made_key END AS fix_key,
    t.head || CASE WHEN t.says_value THEN f.shown_value ELSE '' END
      || t.middle || CASE WHEN t.says_other THEN f.shown_other ELSE '' END || t.tail
      || CASE WHEN g.guess IS NOT NULL THEN '; did you mean ' || g.guess || '?' ELSE '' END
      || ' (' || f.code || ').' AS sentence
  FROM (
    SELECT line, code, value, is_error, made_by,
      CASE WHEN length(value) > :most THEN substr(value, 1, :most - 3) || '...' ELSE value END AS shown_value,
      CASE WHEN length(other) > :most THEN substr(other, 1, :most - 3) || '...' ELSE other END AS shown_other
    FROM all_findings
  ) AS f
  JOIN finding_texts AS t ON t.code = f.code AND t.is_error = f.is_error
  LEFT JOIN guesses AS g ON g.code = f.code AND g.value = f.value
) AS worded;

CREATE TEMP VIEW remarks AS
SELECT s.line, s.codes,
  concat_ws(' ', :file || ' line ' || CAST(s.line AS STRING) || ', ' || s.sentences,
    CASE WHEN s.is_failed AND k.line IS NOT NULL THEN nullif(:left_alone, '') END,
    nullif(CASE WHEN s.is_failed THEN s.fixes ELSE s.advice END, '')) AS message
FROM (
  SELECT line, bool_or(is_error) AS is_failed, concat_ws(';', :codes) AS codes,
    concat_ws(' ', :sentences) AS sentences, concat_ws(' ', :fixes) AS fixes, concat_ws(' ', :advice) AS advice
  FROM said GROUP BY line
) AS s
LEFT JOIN (SELECT line FROM people WHERE is_known AND has_id) AS k ON k.line = s.line
