-- Made-up people. The same number of rows always produces the same people.
-- In:  :rows
-- Out: accounts (one row per person who has an account), first (one per record of a complete list, 2 % of them bad),
--      roster (the next night's list: 0.25 % of the people have another school, 0.125 % have left, 0.125 % are new),
--      orgs (one per school). Rows are in the order of their numbers. The MD5 of the number selects the values, so
--      they are the same on all machines.
CREATE TEMP TABLE person AS
SELECT
  i,
  CAST(md5_number_lower('sis-sync ' || i) >> 1 AS BIGINT) AS a,
  CAST(md5_number_upper('sis-sync ' || i) >> 1 AS BIGINT) AS b
FROM range(:rows) AS numbers (i);

CREATE TEMP TABLE good AS
SELECT
  i,
  b % 100000 AS change,
  (b // 100000) % 100000 AS fault,
  ['Ana', 'Ben', 'Zoë', 'Núria', 'José', 'Wei', 'Fatima', 'O''Neil', 'Mary-Jane', 'Łukasz', 'Søren', 'Aoife',
   'Tariq', 'Mei', 'Olga', 'Raj', 'Ines', 'Noah', 'Liam', 'Emma'][1 + a % 20] AS first_name,
  CASE WHEN (a // 20) % 10 < 3 THEN ['Lee', 'Ann', 'Kim', 'Jo'][1 + (a // 200) % 4] ELSE '' END AS middle_name,
  ['Ruiz', 'Cole', 'Núñez', 'García-López', 'O''Brien', 'Smith', 'Nguyen', 'Kowalski', 'Østergård', 'Müller',
   'Silva', 'Cohen', 'Khan', 'Li', 'Park', 'Singh', 'Diaz', 'Brown'][1 + (a // 800) % 18] AS last_name,
  'u' || i || '@district.example' AS email,
  lpad(CAST(i AS VARCHAR), 8, '0') AS custom_id,
  lpad(CAST(1 + i % 400 AS VARCHAR), 4, '0') AS school_district_external_id,
  ['Student', 'Student', 'Student', 'Student', 'Student', 'Student', 'Student', 'Student', 'Student', 'Teacher']
    [1 + (a // 14400) % 10] AS user_type,
  CASE WHEN (a // 14400) % 10 < 9 THEN '' ELSE ['Math', 'Principal, Lower School', 'Nurse'][1 + (a // 144000) % 3] END
    AS position,
  CASE WHEN (a // 14400) % 10 < 9 THEN CAST(1 + i % 12 AS VARCHAR) ELSE '' END AS grade,
  'Active' AS status
FROM person;

-- Ten kinds of fault, each in 0.2 % of the records.
CREATE TEMP TABLE listed AS
SELECT * REPLACE (
  CASE WHEN fault < 200 THEN '' ELSE first_name END AS first_name,
  CASE WHEN fault BETWEEN 200 AND 399 THEN '' ELSE last_name END AS last_name,
  CASE WHEN fault BETWEEN 400 AND 599 THEN 'not-an-address' WHEN fault BETWEEN 600 AND 799 THEN ''
    ELSE email END AS email,
  CASE WHEN fault BETWEEN 800 AND 999 THEN '' WHEN fault BETWEEN 1000 AND 1199 THEN 'N/A'
    ELSE custom_id END AS custom_id,
  CASE WHEN fault BETWEEN 1200 AND 1399 THEN '9999' ELSE school_district_external_id END AS school_district_external_id,
  CASE WHEN fault BETWEEN 1400 AND 1599 THEN 'Pupil' ELSE user_type END AS user_type,
  CASE WHEN fault BETWEEN 1600 AND 1799 THEN 'Gone' ELSE status END AS status,
  CASE WHEN fault BETWEEN 1800 AND 1999 THEN '99' ELSE grade END AS grade
)
FROM good;

CREATE TEMP VIEW accounts AS
SELECT * EXCLUDE (i, change, fault) FROM good WHERE change >= 125 ORDER BY i;

CREATE TEMP VIEW first AS
SELECT * EXCLUDE (i, change, fault) FROM listed WHERE change >= 125 ORDER BY i;

CREATE TEMP VIEW roster AS
SELECT * EXCLUDE (i, change, fault) REPLACE (
  CASE WHEN change BETWEEN 250 AND 499 AND school_district_external_id <> '9999'
    THEN lpad(CAST(1 + (i + 7) % 400 AS VARCHAR), 4, '0') ELSE school_district_external_id END
    AS school_district_external_id
)
FROM listed WHERE change NOT BETWEEN 125 AND 249 ORDER BY i;

CREATE TEMP VIEW orgs AS
SELECT lpad(CAST(n AS VARCHAR), 4, '0') AS external_id, 'School ' || lpad(CAST(n AS VARCHAR), 4, '0') AS name
FROM range(1, 401) AS numbers (n) ORDER BY n;
