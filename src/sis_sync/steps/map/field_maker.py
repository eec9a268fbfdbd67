"""The SQL of each field, made from the columns of a file by the lines of its mapping."""

import itertools
import re
from collections.abc import Callable, Sequence
from datetime import date

from sis_sync.core.fields import ACTIVE, DISABLED, FIELD_NAMES
from sis_sync.core.formula_cells import FORMULA_START
from sis_sync.core.limits import TEMPLATE_VALUE_CHARACTERS
from sis_sync.engine.sql import literal
from sis_sync.steps.map.columns import can_create, can_fill
from sis_sync.steps.map.made import LETTERS, Kind, makers_of
from sis_sync.steps.map.mapping import JUDGED_BY_LIST, FieldRule
from sis_sync.steps.map.value_sql import compared, day_of, first_item, is_one_of, is_placeholder, padded, part, replaced
from sis_sync.steps.read.read import Records
from sis_sync.steps.read.text_formulas import number_positions, without_apostrophe, without_formula

NOTHING = "''"  # the SQL of a field that nothing supplies
_PLAIN = re.compile(r"\w+|'[^']*'")
_NEUTRALISED = rf"^'+{FORMULA_START}"
# The steps of all fields. The results of each are columns of a subquery, which the next steps read.
(_TRIMMED, _BARE, _CELLS, _SOURCES, _DECODED, _SHORT, _WORDS, _TEXT, _FILLED, _REPLACED) = range(10)
(_PADDED, _SHORT_OF_CREATE, _WORDS_OF_CREATE, _TEXT_OF_CREATE, _CREATED) = range(10, 15)
_FEW_NAMES = 2  # a template with more of them may make a long text of short values
_OF_WORDS = {
    "letters": r"replace_all({}, '[^\p{{L}}\p{{M}}\p{{Nd}}]', '')",
    "lower": "lower({})",
    "upper": "upper({})",
}
_HALF = TEMPLATE_VALUE_CHARACTERS // 2
_SHORTENING = frozenset({"ascii", "letters"})  # words after which most of a value may be gone
# The cells of broken records, trimmed, and as IDs of which a spreadsheet kept the zeros.
BROKEN_CELLS = (
    f"SELECT line, raw, unnest([trimmed, {without_apostrophe('bare')}]) AS cell FROM ("
    f"SELECT line, raw, trimmed, {without_formula('trimmed')} AS bare FROM ("
    "SELECT line, raw, clean(raw) AS trimmed FROM (SELECT line, unnest(cells) AS raw FROM broken)))"
)


class FieldMaker:
    """Makes the SQL expression of each field.

    Most expressions repeat the one that they are made from, so the results of each step are columns of a subquery. As
    one expression, a mapping that splits and cleans the same cell would take the engine seconds to prepare.
    """

    def __init__(self, records: Records, today: date) -> None:
        self.today = today
        self.columns, self.mapping = records.columns, records.mapping
        self._text_formulas = records.text_formulas
        self._numbers = number_positions(records.columns, records.mapping)
        self._steps: tuple[dict[str, str], ...] = tuple({} for _ in range(_CREATED + 1))  # expression -> name

    def field(self, name: str) -> str:
        """Return the SQL for the mapped and cleaned value of a field, an empty string if nothing supplies it."""
        template = self.mapping.rule(name).create
        if template is None or not can_create(template, self.columns, self.mapping):
            return self._mapped(name)
        return self._result_of(_CREATED, self._template(name, template, made_of=self._of_all_fields))

    def _mapped(self, name: str) -> str:
        """Return the SQL for the value of a field that the lines other than create make."""
        rule = self.mapping.rule(name)
        value = replaced(name, rule, self._filled(name, rule))
        return self._result_of(_PADDED, padded(rule, self._result_of(_REPLACED, value))) if rule.pad else value

    def is_email_made(self) -> str:
        """Return the SQL that is TRUE if a template made the address, so that it may get a number."""
        rule = self.mapping.rule("email")
        if rule.create is not None or (rule.template is not None and self._can_fill(rule.template)):
            return "TRUE"
        is_default = rule.default is not None and self._can_fill(rule.default)
        return f"{self.source('email')} = ''" if is_default else "FALSE"

    def steps(self) -> str:
        """Return the query that the expressions of all fields read, in brackets. Call it after them."""
        query = "cells"
        for step in filter(None, self._steps):
            query = f"(SELECT {', '.join(['*', *_named_results(step)])} FROM {query})"
        return query

    def _result_of(self, step: int, expression: str) -> str:
        """Return the column with the result of an expression, or the expression if it is a name or a literal."""
        if _PLAIN.fullmatch(expression):
            return expression
        return self._steps[step].setdefault(expression, f"result_{step}_{len(self._steps[step])}")

    def seen(self, name: str) -> list[str]:
        """Return the SQL expressions that make a field from `cell`, which may be any column. They read no other cell.

        Each reads `cell`, and its result is the `cell` of the next one.
        """
        rule = self.mapping.rule(name)
        steps = [self._seen_source(name)]
        if rule.template and self._can_fill(rule.template) and len(FieldRule.placeholders(rule.template)) == 1:
            before, after = re.split(r"\{[^{}]+\}", rule.template)
            header, words = FieldRule.placeholders(rule.template)[0]
            steps = [self._seen_source(header), self._worded("cell", words)]
            steps.append(f"clean({literal(before)} || cell || {literal(after)})")
        return [*steps, replaced(name, rule, "cell"), padded(rule, "cell")]

    def _seen_source(self, name: str) -> str:
        """Return the SQL of `source`, with `cell` as the column of this field or header."""
        rule = self.mapping.rule(name)
        if rule.split and self.columns.position_of(rule.split.header) is not None:
            return part("cell", rule.split.side, rule.split.separator)
        return first_item("cell", rule.first) if rule.first else "cell"

    def source(self, name: str) -> str:
        """Return the SQL for the first steps: column or constant, first, split, decode, dates."""
        if name == "status" and self.mapping.dates.headers():
            return self._result_of(_DECODED, self._status_of_dates())
        rule = self.mapping.rule(name)
        position = self.columns.of_field.get(name)
        source = literal(rule.constant or "") if position is None else self._cell(position)
        if position is None and rule.constant is not None:
            source = f"clean({source})"
        if rule.first:
            source = first_item(source, rule.first)
        if rule.split and (split_position := self.columns.position_of(rule.split.header)) is not None:
            source = part(self._cell(split_position), rule.split.side, rule.split.separator)
        source = self._result_of(_SOURCES, source)
        if not rule.decodes_html or source in self._steps[_DECODED].values():
            return source
        decoded = f"CASE WHEN contains({source}, '&') THEN clean(without_entities({source})) ELSE {source} END"
        return self._result_of(_DECODED, decoded)

    def _days(self) -> list[tuple[str, str]]:
        """Return the SQL for the cell and the day of each column of `dates`: first the first day, then the last."""
        found = []
        for header in (self.mapping.dates.first_day, self.mapping.dates.last_day):
            cell = self._as_given(header) if header else NOTHING
            found.append((cell, self._result_of(_SOURCES, day_of(cell, self.mapping.dates.format))))
        return found

    def _status_of_dates(self) -> str:
        """Return the SQL for the status on this day, or for a cell that is not a day."""
        (first_cell, first_day), (last_cell, last_day) = self._days()
        today, dates = f"DATE '{self.today.isoformat()}'", self.mapping.dates
        has_begun = f"coalesce({first_day} - {dates.early} <= {today}, TRUE)"
        is_over = f"coalesce({last_day} + {dates.grace} < {today}, FALSE)"
        return (
            f"CASE WHEN {first_cell} <> '' AND {first_day} IS NULL THEN {first_cell} "
            f"WHEN {last_cell} <> '' AND {last_day} IS NULL THEN {last_cell} "
            f"WHEN {has_begun} AND NOT {is_over} THEN '{ACTIVE}' ELSE '{DISABLED}' END"
        )

    def _cell(self, position: int) -> str:
        return self._result_of(_CELLS, self._cleaned_cell(position))

    def _cleaned_cell(self, position: int) -> str:
        cell = f"c{position}"
        if self.columns.message_position is not None:
            # Our failed-rows file puts an apostrophe before a formula: remove it.
            is_neutralised = f"has_match({cell}, {literal(_NEUTRALISED)})"
            cell = f"CASE WHEN {is_neutralised} THEN substr({cell}, 2) ELSE {cell} END"
        if position not in self._text_formulas:
            return f"clean({cell})"
        bare = without_formula(self._result_of(_TRIMMED, f"clean({cell})"))
        return without_apostrophe(self._result_of(_BARE, bare)) if position in self._numbers else bare

    def _as_given(self, header: str) -> str:
        """Return the SQL for the cell under a header, or in the column of a field with this name."""
        position = self.columns.place_of(header)
        return NOTHING if position is None else self._cell(position)

    def _named(self, name: str) -> str:
        """Return the SQL for a name in a template: a field before templates, or the cell under a header."""
        if name in self.columns.of_field and self.columns.position_of(name) is None:
            return self.source(name)
        if name in FIELD_NAMES and self.mapping.rule(name) != FieldRule():
            return self.source(name)
        position = self.columns.position_of(name)
        return self.source(name) if position is None else self._cell(position)

    def _of_all_fields(self, name: str) -> str:
        """Return the SQL for a name in a create line: the finished value of a field, or the cell under a header."""
        is_field = name in FIELD_NAMES and (name in self.columns.of_field or self.columns.position_of(name) is None)
        return self._result_of(_PADDED, self._mapped(name)) if is_field else self._named(name)

    def _can_fill(self, template: str) -> bool:
        return can_fill(template, self.columns, self.mapping)

    def _filled(self, name: str, rule: FieldRule) -> str:
        return self._result_of(_FILLED, self._filled_source(name, rule, self.source(name)))

    def _filled_source(self, name: str, rule: FieldRule, source: str) -> str:
        if rule.template is not None and self._can_fill(rule.template):
            return self._template(name, rule.template)
        if rule.default is not None and name != "custom_id" and self._can_fill(rule.default):
            return f"CASE WHEN {source} = '' THEN {self._template(name, rule.default)} ELSE {source} END"
        return source

    def _template(self, name: str, template: str, made_of: Callable[[str], str] | None = None) -> str:
        """Return the SQL for the filled template.

        It is empty if a value in an ID or address is empty, or every value in another field is. `made_of` returns the
        SQL for a name in braces.
        """
        value_of, short = (made_of, _SHORT_OF_CREATE) if made_of else (self._named, _SHORT)
        names = FieldRule.placeholders(template)
        parts = re.split(r"\{[^{}]+\}", template)
        text, is_nothing = literal(parts[0]), []
        for (header, words), rest in zip(names, parts[1:], strict=True):
            value = value_of(header)
            worded = self._result_of(short + 1, self._worded(self._result_of(short, shortened(value)), words))
            text += f" || {worded} || {literal(rest)}"
            is_nothing.append(
                f"({worded} = '' OR {is_placeholder(value)})" if name == "custom_id" else f"{worded} = ''"
            )
        if not names:
            return f"clean({text})"
        if len(names) > _FEW_NAMES:
            text = shortened(self._result_of(short + 2, text))
        empty = (" OR " if name in ("custom_id", "email") else " AND ").join(is_nothing)
        nothing = value_of(names[0].name) if name == "custom_id" else "''"
        return f"CASE WHEN {empty} THEN {nothing} ELSE clean({text}) END"

    def _worded(self, value: str, words: Sequence[str]) -> str:
        """Return the SQL that applies the words of a template to a value, one after the other.

        A value without its middle is too long for any field. Words that could make it short, and two people one, are
        not applied to it: its row fails.
        """
        whole = value
        for place, word in enumerate(words):
            name, _, number = word.partition(" ")
            if number:
                value = f"{'left' if name == 'first' else 'right'}({value}, {number})"
            elif name == "ascii" and name in words[:place]:
                continue  # it is ASCII by now
            elif name == "ascii":
                value = f"CASE WHEN is_ascii({value}) THEN {value} ELSE in_ascii({value}) END"
            else:
                value = _OF_WORDS[name].format(value)
        on_all_of_it = itertools.takewhile(lambda word: not _reads_only_what_is_kept(word), words)
        if any(word in _SHORTENING or " " in word for word in on_all_of_it):
            return f"CASE WHEN length({whole}) > {TEMPLATE_VALUE_CHARACTERS} THEN {whole} ELSE {value} END"
        return value

    def early_codes(self) -> str:
        """Return the SQL for the faults so far: of records and days, and values that the mapping treats as errors."""
        strict = [name for name in JUDGED_BY_LIST if self.mapping.rule(name).rest == "error"]
        codes = [*map(self._unmapped, strict), *self._unreadable_days(), "NULL"]
        return "concat_ws(';', nullif(codes, ''), " + ", ".join(codes) + ")"

    def _unmapped(self, name: str) -> str:
        rule = self.mapping.rule(name)
        code = "org.unknown" if name == "school_district_external_id" else f"{name}.unknown"
        source = self._filled(name, rule)
        known = literal((*rule.values, *([] if "" in rule.values else [""])))
        return f"CASE WHEN NOT ({compared(source, rule.values)} IN {known}) THEN {literal(code)} END"

    def _unreadable_days(self) -> list[str]:
        """Return SQL for the code of a row with a cell that is not a day, whatever word the cell has instead."""
        if not self.mapping.dates.headers():
            return []
        wrong = " OR ".join(f"({cell} <> '' AND {day} IS NULL)" for cell, day in self._days())
        return [f"CASE WHEN {wrong} THEN 'status.unknown' END"]

    def made(self) -> str:
        """Return the SQL for the letters of the lines that made values of a row (see made.py)."""
        letters = (self._maker(name, kinds) for name, kinds in makers_of(self.columns, self.mapping).items())
        return " || ".join(letters) or NOTHING

    def _maker(self, name: str, kinds: tuple[Kind, ...]) -> str:
        rule = self.mapping.rule(name)
        source, filled = self.source(name), self._filled(name, rule)
        applies = {
            "create": "TRUE",
            "value": f"{compared(filled, rule.values)} IN {literal(tuple(rule.values))}",
            "rest": f"{filled} <> ''",
            "template": f"{filled} <> ''",
            "default": f"{source} = '' AND {filled} <> ''",
            "dates": "TRUE",
            "constant": "TRUE",
            "split": f"{source} = ''",
        }
        cases = " ".join(f"WHEN {applies[kind]} THEN {literal(LETTERS[kind])}" for kind in kinds)
        return f"CASE {cases} ELSE ' ' END"

    def is_skipped(self) -> str:
        """Return the SQL that is TRUE if a skip line leaves the row out. Ignore lines for missing headers."""
        skips = [(self._as_given(header), values) for header, values in self.mapping.skips]
        # For all lines at once, so that a long cell is not copied for each of a hundred patterns.
        every = [value for _, values in skips for value in values]
        texts = {cell: self._result_of(_SOURCES, compared(cell, every)) for cell, _ in skips}
        tests = [is_one_of(cell, values, text=texts[cell]) for cell, values in skips if cell != NOTHING]
        return "coalesce(" + " OR ".join(tests) + ", FALSE)" if tests else "FALSE"

    def choice(self) -> str:
        """Return the SQL for a text that is greater in the row that counts. Ignore a line for a missing header."""
        choice = self.mapping.choice
        cell = self._as_given(choice.header) if choice else NOTHING
        if choice is None or cell == NOTHING:
            return NOTHING
        if choice.is_latest:
            return f"coalesce(strftime({day_of(cell, self.mapping.dates.format)}, '%Y-%m-%d'), '')"
        text = self._result_of(_SOURCES, compared(cell, choice.values))
        return f"CASE WHEN {is_one_of(cell, choice.values, text=text)} THEN '1' ELSE '' END"


def shortened(value: str) -> str:
    """Return the SQL for a value or the text of a template without its middle, if it is longer than a field may be.

    The engine holds the parts of a template for thousands of rows at a time. Of long cells, they would fill the memory.
    """
    short = f"left({value}, {_HALF}) || '...' || right({value}, {_HALF})"
    return f"CASE WHEN length({value}) > {TEMPLATE_VALUE_CHARACTERS} THEN {short} ELSE {value} END"


def _reads_only_what_is_kept(word: str) -> bool:
    """Return True for a word like `first 2`: a value without its middle still has these letters."""
    _, _, number = word.partition(" ")
    return bool(number) and int(number) <= _HALF


def _named_results(step: dict[str, str]) -> list[str]:
    return [f"{expression} AS {name}" for expression, name in step.items()]
