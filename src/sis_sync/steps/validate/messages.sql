-- In:  all_findings, finding_texts, guesses, people.
-- Out: said: one row per finding of a row: line, code, is_error, the fix and its key, and the sentence;
--      remarks: one row per row with findings: line, codes, and the message, which has file and line, the sentences,
--        the consequence and the fixes.
-- These are views, because planning adds rows to findings. Most rows with findings have one. Only the others need
-- ordered lists, which take ten times as long for a row. (One expression for each code and fix in place of lists took
-- longest of all: to prepare such a query was a tenth of the work on a small file.)
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
WITH worded AS (
  SELECT line, code, is_error, fix, fix_key, sentence FROM said
),
counted AS (
  SELECT line, count(*) AS number, bool_or(is_error) AS is_failed FROM worded GROUP BY line
),
joined AS (
  SELECT w.line, w.is_error AS is_failed, w.code AS codes, w.sentence AS sentences, w.fix AS fixes
  FROM worded AS w JOIN counted AS c ON c.line = w.line
  WHERE c.number = 1
  UNION ALL
  SELECT s.line, s.is_failed, s.codes, s.sentences, x.fixes
  FROM (
    SELECT line, is_failed, string_agg(code, ';' ORDER BY code) AS codes,
      string_agg(sentence, ' ' ORDER BY code) AS sentences
    FROM (
      SELECT w.line, c.is_failed, w.code, max(w.sentence) AS sentence
      FROM worded AS w JOIN counted AS c ON c.line = w.line
      WHERE c.number > 1 GROUP BY w.line, c.is_failed, w.code
    ) AS of_code
    GROUP BY line, is_failed
  ) AS s
  JOIN (
    SELECT line, string_agg(fix, ' ' ORDER BY fix_key) AS fixes
    FROM (
      SELECT w.line, w.fix_key, max(w.fix) AS fix
      FROM worded AS w JOIN counted AS c ON c.line = w.line AND c.is_failed = w.is_error
      WHERE c.number > 1 GROUP BY w.line, w.fix_key
    ) AS of_fix
    GROUP BY line
  ) AS x ON x.line = s.line
)
SELECT j.line, j.codes,
  concat_ws(' ', :file || ' line ' || CAST(j.line AS STRING) || ', ' || j.sentences,
    CASE WHEN j.is_failed AND k.line IS NOT NULL THEN nullif(:left_alone, '') END, nullif(j.fixes, '')) AS message
FROM joined AS j
LEFT JOIN (SELECT line FROM people WHERE is_known AND has_id) AS k ON k.line = j.line
