"""Suggest: which mapping a header asks for, with the reason of each line."""

import csv
import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sis_sync.core.fields import FIELDS, SECRET_HEADER_WORDS
from sis_sync.formats.header import comparable, find_columns, missing_fields
from sis_sync.formats.mapping import Mapping
from sis_sync.formats.mapping_lines import load_preset, preset_names

NOT_OF_THE_PERSON = ("parent", "guardian", "contact", "mother", "father", "emergency", "relative")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
SIMILAR = 0.8
CONTENT = 0.9


@dataclass(frozen=True)
class Proposal:
    """The column for one field and why; `header` is None where nothing fits."""

    field: str
    header: str | None
    reason: str


@dataclass(frozen=True)
class Fit:
    """A preset or one file of a bundle, and the fields that it still misses."""

    name: str
    missing: tuple[str, ...]


def variants() -> Iterator[Mapping]:
    """Every preset, each file of a bundle by itself."""
    for name in preset_names():
        preset = load_preset(name)
        yield from preset.variants or (preset,)


def best_fits(header: Sequence[str]) -> list[Fit]:
    """The presets that read most of this header, if they miss at most two fields: several where they are equal."""
    there = {comparable(name) for name in header}
    found = []
    for variant in variants():
        named = {comparable(name) for name in variant.headers()} & there
        missing = missing_fields(find_columns(header, variant), variant)
        if len(named) >= 4 and len(missing) <= 2:
            found.append((len(missing), -len(named), Fit(variant.name, tuple(missing))))
    best = min((each[:2] for each in found), default=None)
    return [fit for *score, fit in found if tuple(score) == best]


def propose(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Proposal]:
    """One proposal a field; no column is proposed twice, nor one of secrets or of another person."""
    free = [name for name in dict.fromkeys(header) if _is_usable(name, header)]
    chosen: dict[str, Proposal] = {}
    for reason, find in (("exact", _exact), ("preset", _of_a_preset), ("similar name", _similar)):
        for field in FIELDS:
            if field.name in chosen:
                continue
            for name in find(field.name, field.aliases, free):
                chosen[field.name] = Proposal(field.name, name, reason)
                free.remove(name)
                break
    if "email" not in chosen:
        full = [name for name in free if _looks_like_addresses(_values(name, header, rows))]
        if len(full) == 1:
            chosen["email"] = Proposal("email", full[0], "content: addresses")
        elif full:
            chosen["email"] = Proposal("email", None, f"several columns hold addresses: {', '.join(full)}")
    return [chosen.get(field.name, Proposal(field.name, None, "nothing fits")) for field in FIELDS]


def lines(proposals: Sequence[Proposal]) -> Iterator[str]:
    """The proposals as mapper lines; a field that nothing fits is a comment to be filled in."""
    for each in proposals:
        reason = " ".join(each.reason.split())
        if each.header is not None:
            yield f"# {each.field}: {reason}"
            yield f"mapper.suggested.column.{each.field}={each.header.strip()}"
        else:
            yield f"# {each.field}: {reason}. Fill in and take off the # of the next line:"
            yield f"#mapper.suggested.constant.{each.field}="


def sample(text: str, delimiter: str) -> list[list[str]]:
    """The records of a piece of text, header first; what stands after one that cannot be read is left out."""
    rows = []
    try:
        for row in csv.reader(text.splitlines(keepends=True), delimiter=delimiter):
            if row:
                rows.append(row)
    except csv.Error:  # a cell longer than the module reads
        return rows
    return rows


def _is_usable(name: str, header: Sequence[str]) -> bool:
    low = name.lower()
    is_writable = bool(comparable(name)) and "|" not in name and "\n" not in name and "\r" not in name
    is_other = any(word in low for word in (*SECRET_HEADER_WORDS, *NOT_OF_THE_PERSON))
    return is_writable and not is_other and [comparable(each) for each in header].count(comparable(name)) == 1


def _exact(field: str, aliases: Sequence[str], free: Sequence[str]) -> list[str]:
    wanted = {comparable(name) for name in (field, *aliases)}
    return [name for name in free if comparable(name) in wanted]


def _of_a_preset(field: str, _aliases: Sequence[str], free: Sequence[str]) -> list[str]:
    wanted = {comparable(name) for variant in variants() for name in variant.rule(field).columns}
    return [name for name in free if comparable(name) in wanted]


def _similar(field: str, aliases: Sequence[str], free: Sequence[str]) -> list[str]:
    by_form = {comparable(name): name for name in free}
    for wanted in (field, *aliases):
        close = difflib.get_close_matches(comparable(wanted), by_form, n=1, cutoff=SIMILAR)
        if close:
            return [by_form[close[0]]]
    return []


def _values(name: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    position = list(header).index(name)
    return [row[position].strip() for row in rows if position < len(row) and row[position].strip()]


def _looks_like_addresses(values: Sequence[str]) -> bool:
    return bool(values) and sum(bool(EMAIL.fullmatch(value)) for value in values) >= CONTENT * len(values)
