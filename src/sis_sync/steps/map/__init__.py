"""From the columns of a file to the ten fields, by the lines of a mapping."""
