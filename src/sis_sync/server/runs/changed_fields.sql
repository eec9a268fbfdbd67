-- DuckDB. In: the plan file (:plan). Out: one row per field that updates change: how many, and the most frequent new
-- value with its number (for an address its domain, if that changes). Names have no such value.
WITH cells AS (
  UNPIVOT (
    SELECT fields, school_district_external_id, user_type, grade, status,
      CASE WHEN split_part(email, '@', 2) <> split_part(old_email, '@', 2) THEN split_part(email, '@', 2) ELSE '' END
        AS email,
      '' AS first_name, '' AS middle_name, '' AS last_name, '' AS position
    FROM read_parquet(:plan) WHERE action = 'update'
  )
  ON first_name, middle_name, last_name, email, school_district_external_id, user_type, position, grade, status
  INTO NAME field VALUE new_value
),
counted AS (
  SELECT field, new_value, count(*) AS number
  FROM cells WHERE list_contains(string_split(fields, ';'), field)
  GROUP BY field, new_value
)
SELECT field, CAST(sum(number) AS BIGINT) AS number,
  coalesce(arg_max(new_value, number) FILTER (WHERE new_value <> ''), '') AS most,
  coalesce(max(number) FILTER (WHERE new_value <> ''), 0) AS of_most
FROM counted
GROUP BY field
ORDER BY number DESC, field
