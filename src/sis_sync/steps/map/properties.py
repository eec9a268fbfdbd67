"""Read `key=value` lines, as in client.properties and mappings. There are no escapes.

docs/decisions/0001 explains why this is not a library.
"""

from dataclasses import dataclass

from sis_sync.core.errors import ConfigurationError


@dataclass(frozen=True)
class Property:
    """One line: key and value are trimmed, `line` counts from 1."""

    key: str
    value: str
    line: int


def read_properties(text: str) -> list[Property]:
    """Return the properties in file order. Raise ConfigurationError for a line without `=` and for a repeated key."""
    properties: dict[str, Property] = {}
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        found = _read_line(stripped, number)
        if found.key in properties:
            raise ConfigurationError(
                f"Line {number}: {found.key} is already on line {properties[found.key].line}.",
                fix="Keep one of the two lines.",
            )
        properties[found.key] = found
    return list(properties.values())


def _read_line(text: str, number: int) -> Property:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigurationError(
            f"Line {number} is not of the form key=value.",  # not its text, which may be a pasted API key
            fix="Write key=value, or start the line with # to make it a comment.",
        )
    return Property(key.strip(), value.strip(), number)
