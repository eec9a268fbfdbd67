"""The mapping line that turns one value into another, as advice to paste."""


def value_line(field: str, value: str, to: str) -> str:
    """`mapper.NAME.value.FIELD.FROM=TO`; empty where FROM cannot stand in a key (`=`, `*`, what is not printable)."""
    if not value.strip() or value == "*" or "=" in value or not value.isprintable() or not to.isprintable():
        return ""
    return f"mapper.NAME.value.{field}.{value}={to}"
