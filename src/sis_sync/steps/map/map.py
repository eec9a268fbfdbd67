"""Map: make the ten fields from the columns of the file, by the rules of the mapping (section 3 of the file format).

The order of the steps for each field: column or constant, first, split, template or default, value, pad.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sis_sync.core.fields import CUSTOM_ID_PLACEHOLDERS, FIELD_NAMES, PASSWORD
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import literal
from sis_sync.steps.map.columns import FORMULA_START, Columns, can_fill
from sis_sync.steps.map.made import Kind, makers_of
from sis_sync.steps.map.mapping import JUDGED_BY_LIST, FieldRule, Mapping
from sis_sync.steps.read.read import Records

_NOTHING = "''"  # the SQL of a field that nothing supplies
_PLAIN = re.compile(r"\w+|'[^']*'")
_OF_WORDS = {
    "ascii": "strip_accents({})",
    "letters": r"replace_all({}, '[^\p{{L}}\p{{M}}\p{{Nd}}]', '')",
    "lower": "lower({})",
    "upper": "upper({})",
}
_NEUTRALISED = rf"^'+{FORMULA_START}"


@dataclass(frozen=True)
class Roster:
    """The session has the view `roster`: line, early_codes, is_skipped, made, the ten fields and password.

    A cell that does not decode is NULL.
    """

    records: Records


def map_records(session: Session, records: Records) -> Roster:
    """Make the view `roster` from `cells`, and the tables `broken_cells` (line, cell, raw) and `password_rows` (line).

    Any cell of a broken record may be its custom ID. `raw` is the cell as found. `cell` is the cleaned cell and, in a
    second row, the ID that the mapping would make from it. `password_rows` has the lines that bring a password.
    """
    maker = _FieldMaker(records.columns, records.mapping)
    fields = ",\n  ".join(f"{maker.field(name)} AS {name}" for name in (*FIELD_NAMES, PASSWORD))
    judged = f"{maker.early_codes()} AS early_codes,\n  {maker.is_skipped()} AS is_skipped,\n  {maker.made()} AS made"
    session.run(f"CREATE TEMP VIEW roster AS SELECT line, {judged},\n  {fields}\nFROM {maker.steps()}")
    bringing = "SELECT line, password FROM roster WHERE password <> ''"
    empty = "(line BIGINT, password VARCHAR)"
    session.run(f"CREATE TEMP TABLE password_rows {empty if maker.field(PASSWORD) == _NOTHING else f'AS {bringing}'}")
    session.run("CREATE TEMP TABLE broken_cells (line BIGINT, cell VARCHAR, raw VARCHAR)")
    if records.broken_rows:
        seen = maker.seen("custom_id")
        session.run(
            "INSERT INTO broken_cells WITH found AS (SELECT line, clean(raw) AS cell, raw "
            "FROM (SELECT line, unnest(cells) AS raw FROM broken)) "
            f"SELECT * FROM (SELECT line, cell, raw FROM found UNION SELECT line, {seen}, raw FROM found) "
            "WHERE cell <> ''"
        )
    return Roster(records)


def add_password_rows(session: Session, lines: Sequence[int]) -> None:
    """Add lines that brought a password to `password_rows`, for a file whose passwords have been removed since."""
    if lines:
        query = "SELECT unnest(?::BIGINT[]) AS line EXCEPT SELECT line FROM password_rows"
        session.insert(f"INSERT INTO password_rows SELECT line, NULL FROM ({query})", [list(lines)])


class _FieldMaker:
    """Makes the SQL expression of each field.

    Most expressions repeat the one that they are made from, so the results of each step are columns of a subquery. As
    one expression, a mapping that splits and cleans the same cell would take the engine seconds to prepare.
    """

    def __init__(self, columns: Columns, mapping: Mapping) -> None:
        self.columns, self.mapping = columns, mapping
        # Expression -> name: cleaned cells, then sources made from them, fields filled from those, and replaced values.
        self._steps: tuple[dict[str, str], ...] = ({}, {}, {}, {})

    def field(self, name: str) -> str:
        """Return the SQL for the mapped and cleaned value of a field, an empty string if nothing supplies it."""
        rule = self.mapping.rule(name)
        replaced = _replaced(name, rule, self._filled(name, rule))
        return _padded(rule, self._result_of(3, replaced)) if rule.pad else replaced

    def steps(self) -> str:
        """Return the query that the expressions of all fields read, in brackets. Call it after them."""
        cells, *later = self._steps
        query = f"SELECT {', '.join(['line', 'codes', *_named_results(cells)])} FROM cells"
        for step in later:
            query = f"SELECT {', '.join(['*', *_named_results(step)])} FROM ({query})" if step else query
        return f"({query})"

    def _result_of(self, step: int, expression: str) -> str:
        """Return the column with the result of an expression, or the expression if it is a name or a literal."""
        if _PLAIN.fullmatch(expression):
            return expression
        return self._steps[step].setdefault(expression, f"result_{step}_{len(self._steps[step])}")

    def seen(self, name: str) -> str:
        """Return the SQL for a field made from `cell`, which may be any column. It reads no other cell."""
        rule = self.mapping.rule(name)
        made = self._seen_source(name)
        if rule.template is not None and len(FieldRule.placeholders(rule.template)) == 1:
            before, after = re.split(r"\{[^{}]+\}", rule.template)
            header, words = FieldRule.placeholders(rule.template)[0]
            made = f"clean({literal(before)} || {_worded(self._seen_source(header), words)} || {literal(after)})"
        return _padded(rule, _replaced(name, rule, made))

    def _seen_source(self, name: str) -> str:
        """Return the SQL of `source`, with `cell` as the column of this field or header."""
        rule = self.mapping.rule(name)
        if rule.split and self.columns.position_of(rule.split.header) is not None:
            return _part("cell", rule.split.side, rule.split.separator)
        return _first_item("cell", rule.first) if rule.first else "cell"

    def source(self, name: str) -> str:
        """Return the SQL for the first steps: column or constant, first, split."""
        rule = self.mapping.rule(name)
        position = self.columns.of_field.get(name)
        source = literal(rule.constant or "") if position is None else self._cell(position)
        if position is None and rule.constant is not None:
            source = f"clean({source})"
        if rule.first:
            source = _first_item(source, rule.first)
        if rule.split and (split_position := self.columns.position_of(rule.split.header)) is not None:
            source = _part(self._cell(split_position), rule.split.side, rule.split.separator)
        return self._result_of(1, source)

    def _cell(self, position: int) -> str:
        return self._result_of(0, self._cleaned_cell(position))

    def _cleaned_cell(self, position: int) -> str:
        if self.columns.message_position is None:
            return f"clean(c{position})"
        # Our failed-rows file puts an apostrophe before a formula: remove it.
        is_neutralised = f"has_match(c{position}, {literal(_NEUTRALISED)})"
        return f"clean(CASE WHEN {is_neutralised} THEN substr(c{position}, 2) ELSE c{position} END)"

    def _named(self, name: str) -> str:
        if name in self.columns.of_field and self.columns.position_of(name) is None:
            return self.source(name)
        if name in FIELD_NAMES and self.mapping.rule(name) != FieldRule():
            return self.source(name)
        position = self.columns.position_of(name)
        return self.source(name) if position is None else self._cell(position)

    def _filled(self, name: str, rule: FieldRule) -> str:
        return self._result_of(2, self._filled_source(name, rule, self.source(name)))

    def _filled_source(self, name: str, rule: FieldRule, source: str) -> str:
        if rule.template is not None and can_fill(rule.template, self.columns, self.mapping):
            return self._template(name, rule.template)
        if rule.default is not None and name != "custom_id" and can_fill(rule.default, self.columns, self.mapping):
            return f"CASE WHEN {source} = '' THEN {self._template(name, rule.default)} ELSE {source} END"
        return source

    def _template(self, name: str, template: str) -> str:
        """Return the SQL for the filled template.

        It is empty if a column of an ID or address is empty, or every column of another field is.
        """
        names = FieldRule.placeholders(template)
        parts = re.split(r"\{[^{}]+\}", template)
        text = literal(parts[0])
        for (header, words), rest in zip(names, parts[1:], strict=True):
            text += f" || {_worded(self._named(header), words)} || {literal(rest)}"
        if not names:
            return f"clean({text})"
        empty = (" OR " if name in ("custom_id", "email") else " AND ").join(
            self._is_nothing(name, header) for header, _ in names
        )
        return f"CASE WHEN {empty} THEN {self._nothing(name, names[0][0])} ELSE clean({text}) END"

    def _is_nothing(self, name: str, header: str) -> str:
        value = self._named(header)
        if name != "custom_id":
            return f"{value} = ''"
        return f"({value} = '' OR {is_placeholder(value)})"

    def _nothing(self, name: str, header: str) -> str:
        return self._named(header) if name == "custom_id" else "''"

    def early_codes(self) -> str:
        """Return the SQL for the faults so far: of the record, and values that the mapping treats as errors."""
        strict = [name for name in JUDGED_BY_LIST if self.mapping.rule(name).rest == "error"]
        return "concat_ws(';', nullif(codes, ''), " + ", ".join([*map(self._unmapped, strict), "NULL"]) + ")"

    def _unmapped(self, name: str) -> str:
        rule = self.mapping.rule(name)
        code = "org.unknown" if name == "school_district_external_id" else f"{name}.unknown"
        source = self._filled(name, rule)
        known = literal((*rule.values, *([] if "" in rule.values else [""])))
        return f"CASE WHEN NOT ({_compared(source, rule.values)} IN {known}) THEN {literal(code)} END"

    def made(self) -> str:
        """Return the SQL for the letters of the lines that made values of a row (see made.py)."""
        letters = (self._maker(name, kinds) for name, kinds in makers_of(self.columns, self.mapping).items())
        return " || ".join(letters) or _NOTHING

    def _maker(self, name: str, kinds: tuple[Kind, ...]) -> str:
        rule = self.mapping.rule(name)
        source, filled = self.source(name), self._filled(name, rule)
        applies = {
            "value": f"{_compared(filled, rule.values)} IN {literal(tuple(rule.values))}",
            "rest": f"{filled} <> ''",
            "template": f"{filled} <> ''",
            "default": f"{source} = '' AND {filled} <> ''",
            "constant": "TRUE",
            "split": f"{source} = ''",
        }
        cases = " ".join(f"WHEN {applies[kind]} THEN {literal(kind[0])}" for kind in kinds)
        return f"CASE {cases} ELSE ' ' END"

    def is_skipped(self) -> str:
        """Return the SQL that is TRUE if a skip line leaves the row out. Ignore lines for missing headers."""
        tests = [
            f"{_compared(self._named(header), values)} IN {literal(values)}"
            for header, values in self.mapping.skips
            if self.columns.position_of(header) is not None or header in self.columns.of_field
        ]
        return "coalesce(" + " OR ".join(f"({test})" for test in tests) + ", FALSE)" if tests else "FALSE"


def _worded(value: str, words: Sequence[str]) -> str:
    """Return the SQL that applies the words of a template to a value, one after the other."""
    for word in words:
        name, _, number = word.partition(" ")
        if number:
            value = f"{'left' if name == 'first' else 'right'}({value}, {number})"
        else:
            value = _OF_WORDS[name].format(value)
    return value


def _named_results(step: dict[str, str]) -> list[str]:
    return [f"{expression} AS {name}" for expression, name in step.items()]


def _first_item(cell: str, separator: str) -> str:
    """Return the SQL for the text before the first separator, or the whole cell if there is none."""
    return f"clean(split_part({cell}, {literal(separator)}, 1))"


def _part(cell: str, side: str, separator: str) -> str:
    """Return the SQL for one side of the first separator. Without one, the whole cell is before it."""
    found = f"strpos({cell}, {literal(separator)})"
    if side == "before":
        return f"clean(CASE WHEN {found} = 0 THEN {cell} ELSE substr({cell}, 1, {found} - 1) END)"
    return f"clean(CASE WHEN {found} = 0 THEN '' ELSE substr({cell}, {found} + {len(separator)}) END)"


def _compared(source: str, keys: Iterable[str]) -> str:
    """Return the SQL for the source in lower case. Engines treat non-ASCII capitals differently, so it lists them."""
    letters = sorted({letter for key in keys for letter in key if not letter.isascii()})
    pairs = [(letter.upper(), letter) for letter in letters if len(letter.upper()) == 1 and letter.upper() != letter]
    if not pairs:
        return f"fold({source})"
    capitals, small = ("".join(each) for each in zip(*pairs, strict=True))
    return f"lower(translate({source}, {literal(capitals)}, {literal(small)}))"


def _replaced(name: str, rule: FieldRule, source: str) -> str:
    """Return the SQL that applies the value lines. `value.FIELD.*` does not apply to an empty cell or a placeholder."""
    rest = source
    if rule.rest not in ("keep", "error"):
        is_something = f"{source} <> ''"
        if name == "custom_id":
            is_something += f" AND NOT {is_placeholder(source)}"
        rest = f"CASE WHEN {is_something} THEN {_cleaned(rule.rest)} ELSE {source} END"
    if not rule.values:
        return rest
    cases = " ".join(f"WHEN {literal(value)} THEN {_cleaned(to)}" for value, to in rule.values.items())
    return f"CASE {_compared(source, rule.values)} {cases} ELSE {rest} END"


def is_placeholder(value: str) -> str:
    """Return the SQL of `is_placeholder_id`. It is TRUE for an empty value too."""
    words = literal(tuple(word.lower() for word in CUSTOM_ID_PLACEHOLDERS))
    return f"(fold({value}) IN {words} OR replace({value}, '0', '') = '' OR {value} LIKE '=%')"


def _cleaned(value: str) -> str:
    """Return the value of a mapping line as SQL, in NFC like the file. Lines are trimmed, so ASCII needs nothing."""
    return literal(value) if value.isascii() else f"clean({literal(value)})"


def _padded(rule: FieldRule, source: str) -> str:
    """Return the SQL that pads a value with zeros if it is only digits and not a placeholder."""
    if not rule.pad:
        return source
    width = rule.pad
    is_short_number = f"matches({source}, '[0-9]+') AND length({source}) < {width}"
    return (
        f"CASE WHEN {is_short_number} AND NOT {is_placeholder(source)} "
        f"THEN lpad({source}, {width}, '0') ELSE {source} END"
    )
