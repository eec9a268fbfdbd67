-- In:  repeated, ignored, accounts.
-- Out: ignored: gains the rows that only repeat another, and those of a person of whom another row counts;
--      rule_findings: gains the rows whose custom ID another row has with different data.
INSERT INTO ignored
SELECT line, 'row.duplicate', custom_id, CAST(first_line AS STRING)
FROM (SELECT line, custom_id, min(line) OVER (PARTITION BY custom_id, data_key, org) AS first_line FROM repeated)
WHERE line > first_line;

-- The other rows of each ID. place: 1 for those that count before the others; turn: 1 for the one that would count.
CREATE TEMP TABLE contending AS
SELECT r.line, r.custom_id, r.data_key, r.name_key,
  rank() OVER (PARTITION BY r.custom_id ORDER BY r.choice DESC, r.is_active DESC) AS place,
  row_number() OVER (PARTITION BY r.custom_id ORDER BY r.choice DESC, r.is_active DESC,
    CASE WHEN r.org = a.school_district_external_id THEN 0 ELSE 1 END, r.line) AS turn
FROM repeated AS r LEFT JOIN accounts AS a ON a.custom_id = r.custom_id
WHERE NOT r.line IN (SELECT line FROM ignored);

-- One row counts if all have the same names, and those that count before the others differ in the org at most.
INSERT INTO ignored
SELECT c.line, 'row.other_org', c.custom_id, CAST(d.line AS STRING)
FROM contending AS c
JOIN (
  SELECT custom_id, min(CASE WHEN turn = 1 THEN line END) AS line
  FROM contending
  GROUP BY custom_id
  HAVING count(DISTINCT name_key) = 1 AND count(DISTINCT CASE WHEN place = 1 THEN data_key END) = 1
) AS d ON d.custom_id = c.custom_id
WHERE c.line <> d.line;

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
