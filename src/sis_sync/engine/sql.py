"""SQL text: load it from the folder of the module that runs it, and bind values as literals."""

import functools
import re
from importlib import resources

_NAME = re.compile(r"(?<![:\w]):([a-z_]+)\b")


def literal(value: object) -> str:
    """Return a value as SQL: text in quotes, numbers and booleans unquoted, lists in parentheses."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        return f"({', '.join(literal(item) for item in value)})"
    return "'" + str(value).replace("'", "''") + "'"


def quoted(name: str) -> str:
    """Return the name of a table or column as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def bind(sql: str, **values: object) -> str:
    """Return the text with each `:name` replaced by its value. Raise KeyError for a name without a value."""
    return _NAME.sub(lambda found: literal(values[found[1]]), sql) if values else sql


@functools.cache
def sql_text(package: str, name: str) -> str:
    """Return the text of NAME.sql in a package, as `__package__` names it."""
    return (resources.files(package) / f"{name}.sql").read_text(encoding="utf-8")
