-- In:  all_findings, finding_texts, guesses.
-- Out: said: one row per finding of a row: line, code, is_error, fix, and the sentence;
--      remarks: one row per row with findings: line, codes, and the message, which has file and line, the sentences,
--        the consequence and the fix.
-- These are views, because planning adds rows to findings.
CREATE TEMP VIEW said AS
SELECT line, code, is_error, fix, escaped(sentence) AS sentence
FROM (
  SELECT f.line, f.code, t.is_error, t.fix,
    t.head || CASE WHEN t.says_value THEN f.shown_value ELSE '' END
      || t.middle || CASE WHEN t.says_other THEN f.shown_other ELSE '' END || t.tail
      || CASE WHEN g.guess IS NOT NULL THEN '; did you mean ' || g.guess || '?' ELSE '' END
      || ' (' || f.code || ').' AS sentence
  FROM (
    SELECT line, code, value,
      CASE WHEN length(value) > :most THEN substr(value, 1, :most - 3) || '...' ELSE value END AS shown_value,
      CASE WHEN length(other) > :most THEN substr(other, 1, :most - 3) || '...' ELSE other END AS shown_other
    FROM all_findings
  ) AS f
  JOIN finding_texts AS t ON t.code = f.code
  LEFT JOIN guesses AS g ON g.code = f.code AND g.value = f.value
) AS worded;

CREATE TEMP VIEW remarks AS
SELECT s.line, s.codes,
  :file || ' line ' || CAST(s.line AS STRING) || ', ' || s.sentences
    || CASE WHEN s.is_failed THEN ' ' || :left_alone ELSE '' END || coalesce(' ' || x.fixes, '') AS message
FROM (
  SELECT line, bool_or(is_error) AS is_failed, string_agg(code, ';' ORDER BY code) AS codes,
    string_agg(sentence, ' ' ORDER BY code) AS sentences
  FROM said GROUP BY line
) AS s
LEFT JOIN (
  SELECT line, is_error, string_agg(fix, ' ' ORDER BY fix) AS fixes
  FROM (
    SELECT DISTINCT f.line, t.is_error, t.fix
    FROM all_findings AS f
    JOIN finding_texts AS t ON t.code = f.code
    WHERE t.fix <> ''
  ) AS each_once
  GROUP BY line, is_error
) AS x ON x.line = s.line AND x.is_error = s.is_failed
