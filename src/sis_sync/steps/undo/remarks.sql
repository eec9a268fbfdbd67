-- In:  findings, ignored, undo_texts.
-- Out: said: one row per finding: line, code, fix, and the sentence;
--      remarks: one row per row with findings, as in validate/messages.sql, but without a file and its line.
-- These are views, because planning adds rows to findings. DuckDB only.
CREATE TEMP VIEW said AS
SELECT f.line, f.code, t.fix,
  escaped(t.head || CASE WHEN t.says_value THEN f.value ELSE '' END
    || t.middle || CASE WHEN t.says_other THEN f.other ELSE '' END || t.tail || ' (' || f.code || ').') AS sentence
FROM (SELECT line, code, value, other FROM findings UNION ALL SELECT line, code, value, other FROM ignored) AS f
JOIN undo_texts AS t ON t.code = f.code;

CREATE TEMP VIEW remarks AS
SELECT line, string_agg(code, ';' ORDER BY code) AS codes,
  string_agg(upper(substr(sentence, 1, 1)) || substr(sentence, 2) || CASE fix WHEN '' THEN '' ELSE ' ' || fix END, ' '
    ORDER BY code) AS message
FROM said GROUP BY line
