"""Map: turn the columns of a file into the ten fields, using the lines of a mapping."""
