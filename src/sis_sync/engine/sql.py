"""SQL text: loaded from beside the step that runs it, values bound as literals."""

import re
from importlib import resources

_NAME = re.compile(r"(?<![:\w]):([a-z_]+)\b")


def literal(value: object) -> str:
    """A value as SQL: text in quotes, numbers and truth as they are, lists in round brackets."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        return f"({', '.join(literal(item) for item in value)})"
    return "'" + str(value).replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def bind(sql: str, **values: object) -> str:
    """Put values in place of `:name`. KeyError for a name without a value."""
    return _NAME.sub(lambda found: literal(values[found[1]]), sql) if values else sql


def sql_text(package: str, name: str) -> str:
    """The text of NAME.sql in this package."""
    return (resources.files(package) / f"{name}.sql").read_text(encoding="utf-8")
