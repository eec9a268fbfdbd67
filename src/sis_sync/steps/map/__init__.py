"""Map: turn the columns of a file into the ten fields, by the lines of a mapping."""
