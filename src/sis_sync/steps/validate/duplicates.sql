-- In:  repeated, ignored.
-- Out: ignored: gains the rows that only repeat another;
--      rule_findings: gains the rows whose custom ID another row has with different data.
INSERT INTO ignored
SELECT line, 'row.duplicate', custom_id, CAST(first_line AS STRING)
FROM (SELECT line, custom_id, min(line) OVER (PARTITION BY custom_id, data_key, org) AS first_line FROM repeated)
WHERE line > first_line;

INSERT INTO ignored
SELECT line, 'row.other_org', custom_id, CAST(first_line AS STRING)
FROM (
  SELECT line, custom_id, min(line) OVER (PARTITION BY custom_id, data_key) AS first_line
  FROM repeated WHERE line NOT IN (SELECT line FROM ignored)
)
WHERE line > first_line;

-- Rows with the same custom ID and different data, numbered. A row names at most 20 others, because the number of all
-- pairs grows with the square. All rows after the twentieth name the same 20.
CREATE TEMP TABLE clashing AS
SELECT line, custom_id, row_number() OVER (PARTITION BY custom_id ORDER BY line) AS place,
  count(*) OVER (PARTITION BY custom_id) AS lines
FROM repeated WHERE NOT line IN (SELECT line FROM ignored);

INSERT INTO rule_findings
SELECT r.line, 'custom_id.duplicate', r.custom_id, string_agg(CAST(o.line AS STRING), ', ' ORDER BY o.line)
  || CASE WHEN max(r.lines) > 20 THEN ' and others' ELSE '' END
FROM clashing AS r JOIN clashing AS o ON o.custom_id = r.custom_id AND o.line <> r.line AND o.place <= 20
WHERE r.place <= 20
GROUP BY r.line, r.custom_id;

INSERT INTO rule_findings
SELECT r.line, 'custom_id.duplicate', r.custom_id, o.first_lines || ' and others'
FROM clashing AS r
JOIN (
  SELECT custom_id, string_agg(CAST(line AS STRING), ', ' ORDER BY line) AS first_lines
  FROM clashing WHERE place <= 20 GROUP BY custom_id
) AS o ON o.custom_id = r.custom_id
WHERE r.place > 20
