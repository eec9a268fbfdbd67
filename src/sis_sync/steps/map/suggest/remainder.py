"""Propose lines for the fields that no header names: from the cells of the columns, or one value for all rows.

All of them stay open except `keep`, which leaves the values of accounts alone.
"""

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sis_sync.core.fields import ACTIVE, STUDENT
from sis_sync.steps.map.columns import find_columns
from sis_sync.steps.map.mapping import Mapping
from sis_sync.steps.map.suggest import by_content
from sis_sync.steps.map.suggest.header_words import STAFF_WORDS, words_of
from sis_sync.steps.map.suggest.known_names import called, names_of
from sis_sync.steps.map.suggest.proposal import Proposal, column, is_template_of, opened, shown
from sis_sync.steps.map.suggest.sample import Sample
from sis_sync.steps.map.synonyms import (
    CLASS_NAMES,
    CONTRARY_FLAGS,
    ENTRY_DATES,
    EXIT_DATES,
    LOGIN_NAME,
    NO_FIELD_WORDS,
    OUTSIDE_IDS,
    PLAIN_IDS,
)

_DOMAIN = "district.example"
_MAX_LOGINS = 3
_MOST_CLASSES = 60
_BY_CELLS = ("email", "grade", "user_type", "status", "custom_id")
_LETTERS = re.compile(r"[^\W\d_][^\d@_]+")
_TEACHER_WORDS = (
    "teacher",
    "tch",
    "faculty",
    "lehrer",
    "enseignant",
    "docente",
    "docent",
    "nauczyciel",
    "larare",
    "kurzel",
)


@dataclass(frozen=True)
class Remainder:
    """The fields that are left, after the columns that are chosen. `preset` is the one that is live, if any."""

    sample: Sample
    chosen: dict[str, Proposal]
    preset: Mapping

    def proposals(self, fields: Iterable[str]) -> dict[str, Proposal]:
        """Return a proposal for each of these fields."""
        found = {field: each for field in _BY_CELLS if field in fields and (each := self._by_cells(field))}
        return found | {field: self._without_column(field) for field in fields if field not in found}

    @functools.cached_property
    def _unread(self) -> list[str]:
        """The columns that no line reads and whose names say nothing else."""
        used = {each.header for each in self.chosen.values()} | {shown(name) for name in self.preset.headers()}
        known = {*called(self.sample.usable, (*LOGIN_NAME, *CLASS_NAMES, *ENTRY_DATES, *EXIT_DATES))}
        return [
            name
            for name in self.sample.usable
            if name not in used | known and shown(name) not in used and not NO_FIELD_WORDS & {*words_of(name).words}
        ]

    def _by_cells(self, field: str) -> Proposal | None:
        """Propose the columns whose cells look like the field. If several fit, all are offered."""
        if field == "grade" and (of_class := self._grade_of_class()):
            return of_class
        reasons = {name: reason for name in self._unread if (reason := self._look(field, name))}
        if not reasons:
            return None
        reason = f"content: {next(iter(reasons.values()))}"
        return opened(column(field, list(reasons), reason), "")

    def _look(self, field: str, name: str) -> str:
        values = self.sample.values(name)
        if field == "email":
            return by_content.addresses(values)
        if field == "grade":
            return by_content.grade_codes(values)
        if field == "custom_id":
            return by_content.identifiers(values, len(self.sample.rows))
        return by_content.listed_words(field, values)

    def _grade_of_class(self) -> Proposal | None:
        """Propose to cut the grade out of the class: 06a is grade 6. With both 6a and 10a, each class has a line.

        A class such as Grade 9 is the grade itself.
        """
        for name in called(self.sample.header, CLASS_NAMES):
            if by_content.are_words_of("grade", self.sample.values(name)):
                return opened(column("grade", [name], f'content: the cells of "{shown(name)}" are grades'), "")
            grades = by_content.grades_of_classes(self.sample.values(name))
            lengths = {len(value) for value in grades.values()}
            is_cut = len(lengths) == 1
            template = f"{{{shown(name)}:first {next(iter(lengths))}}}" if is_cut else f"{{{shown(name)}}}"
            if not grades or not is_template_of(template, name):
                continue
            values = {value if is_cut else cell: value.lstrip("0") for cell, value in grades.items()}
            also = tuple((f"value.grade.{written}", grade) for written, grade in values.items() if written != grade)
            reason = f'content: the cells of "{shown(name)}" begin with a grade'
            return Proposal("grade", name, reason, "template.grade", template, is_open=True, also=also[:_MOST_CLASSES])
        return None

    def _without_column(self, field: str) -> Proposal:
        """Return a line for a field without a column."""
        match field:
            case "middle_name" | "position" | "grade":
                return self._keep(field)
            case "email":
                return self.address()
            case "user_type":
                return self._type_of_everyone()
            case "status":
                return self._status()
            case "school_district_external_id":
                reason = "nothing fits. If everyone is at one school: its external ID, as under Settings"
                return Proposal(field, None, reason, f"constant.{field}", "", is_open=True)
            case _:
                return self._missing(field)

    def _missing(self, field: str) -> Proposal:
        reason = "no column has this name: export it"
        if field == "custom_id":
            reason = "no column looks like the Employee or Student ID: export it. Without it nothing is sent"
            twice = called(self.sample.twice, (*names_of("custom_id"), *PLAIN_IDS, *OUTSIDE_IDS))
            if twice:
                reason = (
                    f'"{shown(twice[0])}" is there twice, with different cells. Leave one of the two out of the export'
                )
        return Proposal(field, None, reason, f"column.{field}", "", is_open=True)

    def _keep(self, field: str) -> Proposal:
        """Keep what accounts have. Leave it open if an unused column may be this field after all."""
        may_be = [shown(name) for name in self._unread if self._may_be(field, name)]
        reason = "no column has it, so accounts keep theirs"
        if may_be:
            reason += f'. Or is it "{may_be[0]}"? Then write column.{field}={may_be[0]}'
        return Proposal(field, None, reason, f"keep.{field}", "", is_open=bool(may_be))

    def _may_be(self, field: str, name: str) -> bool:
        values = self.sample.values(name)
        if field == "grade":
            return bool(values) and by_content.are_words_of("grade", values)
        if field == "position" and self.sample.is_of_students:
            return False
        are_words = bool(values) and all(_LETTERS.fullmatch(value) for value in values)
        return (are_words and not by_content.are_salutations(values)) or not values

    def address(self) -> Proposal:
        """Propose to make addresses from user names, else from the ID."""
        reason = "no column contains addresses. Made from another column; correct the domain"
        names = called(self.sample.usable, LOGIN_NAME)[:_MAX_LOGINS]
        templates = [made for name in names if is_template_of(made := f"{{{shown(name)}:lower}}@{_DOMAIN}", name)]
        of_id = self.chosen.get("custom_id")
        id_header = of_id.header if of_id else self._id_of_preset()
        if not templates and id_header and is_template_of(made := f"{{{shown(id_header)}:lower}}@{_DOMAIN}", id_header):
            names, templates = [id_header], [made]
        if not templates:
            return Proposal("email", None, reason, "template.email", f"{{custom_id}}@{_DOMAIN}", is_open=True)
        others = tuple(("template.email", made) for made in templates[1:])
        return Proposal("email", names[0], reason, "template.email", templates[0], is_open=True, others=others)

    def _id_of_preset(self) -> str | None:
        """Return the header of this file that the preset reads as the ID."""
        place = find_columns(self.sample.header, self.preset).of_field.get("custom_id") if self.preset.rules else None
        return None if place is None else self.sample.header[place]

    def _status(self) -> Proposal:
        """Propose to make the status of two dates, or the same status for everyone."""
        wanted = self.preset.rule("status").columns
        advice = f"no column has it: export {wanted[0]} as well. " if wanted else "nothing fits. "
        everyone = ("constant.status", ACTIVE)
        for name in called(self.sample.usable, CONTRARY_FLAGS):
            meanings = {cell: by_content.status_of_contrary(cell) for cell in self.sample.cells(name)}
            if meanings and all(meanings.values()):
                also = tuple((f"value.status.{cell}", meaning) for cell, meaning in meanings.items())
                reason = f'{advice}Or is it the contrary of "{shown(name)}"? Not everyone else may be active'
                return Proposal(
                    "status", name, reason, "column.status", shown(name), is_open=True, also=also, others=(everyone,)
                )
        first, last = (self._dates(names) for names in (ENTRY_DATES, EXIT_DATES))
        if not last:
            reason = f"{advice}If the file lists only active people"
            return Proposal("status", None, reason, *everyone, is_open=True)
        written = f"{shown(first)} | {shown(last)}" if first else f"| {shown(last)}"
        form = by_content.date_format([*self.sample.values(first or last), *self.sample.values(last)])
        also = (("dates.format", form),) if form and form != "YYYY-MM-DD" else ()
        reason = f"{advice}Made of the dates: active from the first to the last day"
        return Proposal("status", last, reason, "dates.status", written, is_open=True, also=also)

    def _dates(self, names: tuple[str, ...]) -> str:
        """Return the header of a column with such dates, or ""."""
        found = [name for name in called(self.sample.usable, names) if "|" not in name]
        dates = [name for name in found if by_content.are_dates(self.sample.values(name))]
        empty = [name for name in found if not self.sample.values(name)]
        return next(iter((*dates, *empty)), "")

    def _type_of_everyone(self) -> Proposal:
        """Propose the type of user of which the names of the columns speak."""
        if self.sample.is_of_students:
            reason = "similar name: columns speak of students. If the file lists no one else"
            return Proposal("user_type", None, reason, "constant.user_type", STUDENT, is_open=True)
        words = {word for name in self.sample.header for word in (*words_of(name).words, *words_of(name).who)}
        types = ["Teacher", "Staff"] if words & {*_TEACHER_WORDS} else ["Staff", "Teacher"]
        has_grades = any(map(self.sample.values, called(self.sample.header, names_of("grade"))))
        if has_grades or (not words & STAFF_WORDS and "position" not in self.chosen):
            types = [STUDENT, *reversed(types)]
        reason = "nothing fits. If everyone is of one type"
        others = tuple(("constant.user_type", each) for each in types[1:])
        return Proposal("user_type", None, reason, "constant.user_type", types[0], is_open=True, others=others)


def with_logins(proposal: Proposal, sample: Sample, preset: Mapping) -> Proposal:
    """Offer an address made from the user name before a column that may hold private addresses."""
    made = Remainder(sample, {}, preset).address()
    if made.header is None:
        return proposal
    others = (*made.others, (proposal.key, proposal.value), *proposal.others)
    return replace(made, reason=f"{proposal.reason}. Or made from another column; correct the domain", others=others)
