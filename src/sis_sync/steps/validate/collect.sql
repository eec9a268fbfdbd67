-- In:  rule_findings, ignored, people, cut_rows, made_by_lines.
-- Out: findings: one row per row and code, of the rows that are not ignored: whether it fails the row, and the mapping
--        line that made the value (made_by), empty for a value of the file;
--      failed: one row per row with an error, by its line.
CREATE TEMP TABLE findings AS
SELECT f.line, f.code, f.value, f.other,
  f.code IN :errors AND NOT (f.code = 'custom_id.lost_zeros' AND f.line IN (SELECT line FROM cut_rows WHERE NOT fails))
    AS is_error,
  coalesce(m.line || CASE WHEN m.says_value THEN f.value ELSE '' END, '') AS made_by
FROM (
  SELECT line, code, max(value) AS value, max(other) AS other
  FROM rule_findings
  WHERE NOT line IN (SELECT line FROM ignored)
  GROUP BY line, code
) AS f
LEFT JOIN (SELECT line, made FROM people WHERE made <> '') AS p ON p.line = f.line
LEFT JOIN made_by_lines AS m ON m.code = f.code AND m.letter = substr(p.made, m.place, 1);

CREATE TEMP TABLE failed AS SELECT DISTINCT line FROM findings WHERE is_error
