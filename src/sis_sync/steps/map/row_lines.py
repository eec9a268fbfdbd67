"""The mapper lines about whole rows: skip, choose, dates and unique."""

import re
from collections.abc import Callable
from dataclasses import replace

from sis_sync.core.errors import ConfigurationError
from sis_sync.core.limits import MAPPING_SKIP_LINES
from sis_sync.steps.map.field_lines import folded
from sis_sync.steps.map.mapping import Choice, Mapping
from sis_sync.steps.map.properties import Property

_LATEST = re.compile(r"latest\s+(?P<header>[^:]+)", re.IGNORECASE)
DATE_PART = re.compile("YYYY|YY|MM|DD|M|D")
_MOST_DAYS = 5  # digits


def with_row_line(mapping: Mapping, kind: str, target: str, line: Property) -> Mapping:
    """Return the mapping with this line. Raise ConfigurationError for a wrong line."""
    return ROW_KINDS[kind](mapping, target, line)


def _skip(mapping: Mapping, target: str, line: Property) -> Mapping:
    if not target:
        raise ConfigurationError(
            f"Line {line.line}: {line.key} names no header.", fix="Write mapper.NAME.skip.HEADER=VALUE | VALUE."
        )
    values = tuple(folded(value) for value in line.value.split("|"))
    others = tuple(skip for skip in mapping.skips if skip[0] != target)
    if len(others) >= MAPPING_SKIP_LINES:
        raise ConfigurationError(
            f"The mapping has {len(others) + 1:,} skip lines; the limit is {MAPPING_SKIP_LINES:,}.",
            fix="Leave lines out that no row needs, or correct the values in the SIS.",
        )
    return replace(mapping, skips=(*others, (target, values)))


def _choose(mapping: Mapping, target: str, line: Property) -> Mapping:
    fix = "Write mapper.NAME.choose=HEADER: VALUE | VALUE, or mapper.NAME.choose=latest HEADER."
    if target:
        raise ConfigurationError(f"Line {line.line}: {line.key} continues after choose.", fix=fix)
    if latest := _LATEST.fullmatch(line.value):
        return replace(mapping, choice=Choice(latest["header"].strip()))
    # The last colon, because a header may contain one; only one with a space after it, because a time contains others.
    header, _, rest = line.value.rpartition(": ") if ": " in line.value else line.value.partition(":")
    values = tuple(folded(value) for value in rest.split("|") if value.strip())
    if not header.strip() or not values:
        raise ConfigurationError(
            f'Line {line.line}: {line.key}: "{line.value}" does not say which row of a person counts.', fix=fix
        )
    return replace(mapping, choice=Choice(header.strip(), values))


def _dates(mapping: Mapping, target: str, line: Property) -> Mapping:
    if target == "grace":
        return replace(mapping, dates=replace(mapping.dates, grace=_days(line)))
    if target == "early":
        return replace(mapping, dates=replace(mapping.dates, early=_days(line)))
    if target == "format":
        return _dates_format(mapping, line)
    if target == "status":
        return _dates_status(mapping, line)
    raise ConfigurationError(
        f"Line {line.line}: {line.key}: only the status is made of dates.",
        fix="Write mapper.NAME.dates.status=FROM HEADER | TO HEADER, or end the key with "
        "dates.format, dates.grace or dates.early.",
    )


def _dates_status(mapping: Mapping, line: Property) -> Mapping:
    headers = [header.strip() for header in line.value.split("|")]
    if not any(headers) or len(headers) > 2:
        raise ConfigurationError(
            f'Line {line.line}: {line.key}: "{line.value}" is not one or two headers.',
            fix="Write FROM HEADER | TO HEADER. Leave one out if the file has no such column: = | TO HEADER.",
        )
    first_day, last_day = (*headers, "")[:2]
    return replace(mapping, dates=replace(mapping.dates, first_day=first_day, last_day=last_day))


def _dates_format(mapping: Mapping, line: Property) -> Mapping:
    parts = DATE_PART.findall(line.value)
    rest = DATE_PART.sub("", line.value)
    if sorted(part[0] for part in parts) != ["D", "M", "Y"] or re.search(r"\w", rest):
        raise ConfigurationError(
            f'Line {line.line}: {line.key}: "{line.value}" is not a format of dates.',
            fix="Write a year, a month and a day once each, for example YYYY-MM-DD, MM/DD/YYYY or D.M.YY.",
        )
    return replace(mapping, dates=replace(mapping.dates, format=line.value))


def _days(line: Property) -> int:
    if not re.fullmatch(rf"[0-9]{{1,{_MOST_DAYS}}}", line.value):
        raise ConfigurationError(
            f'Line {line.line}: {line.key}: "{line.value}" is not a number of days.',
            fix=f"Write a whole number, as {line.key}=14.",
        )
    return int(line.value)


def _unique(mapping: Mapping, target: str, line: Property) -> Mapping:
    if target != "email" or line.value not in ("number", "fail"):
        raise ConfigurationError(
            f"Line {line.line}: {line.key}={line.value} cannot be followed: only addresses are numbered.",
            fix="Write mapper.NAME.unique.email=number, or fail to fail rows whose made address another person has.",
        )
    return replace(mapping, numbers_addresses=line.value == "number")


ROW_KINDS: dict[str, Callable[[Mapping, str, Property], Mapping]] = {
    "skip": _skip,
    "choose": _choose,
    "dates": _dates,
    "unique": _unique,
}
