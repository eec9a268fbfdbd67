"""The form for correcting failed rows: the fields at fault of each row, or a corrected file."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from sis_sync.core.fields import LABELS, LISTED_VALUES
from sis_sync.core.findings import SEND_AGAIN
from sis_sync.core.wording import LEFT_ALONE, shown
from sis_sync.server.accounts.validation import ORG_FIELD
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.corrections import FailedRow
from sis_sync.server.web.forms.base import PageForm, Secret, Typed

LONGEST_VALUE = 254
# At the beginning of a sentence: `email: "ana" is not an email address`, `last_name is empty`.
FIELD_OF_SENTENCE = re.compile(rf"(?:^|(?<=\. ))(?:{'|'.join(LABELS)})(?=: | is empty)")
NOT_KEPT = (
    "The file has passwords, and those of failed rows are not kept. Type one, or leave this empty: the person then "
    "gets in with a claim code."
)


@dataclass(frozen=True)
class Card:
    """A failed row on the page, with the inputs of the fields at fault and the tick to send it as it is.

    `fault` is the message without what the card or the page says: file, line, codes, and what to do.
    """

    row: FailedRow
    person: str
    fault: str
    fields: tuple[BoundField, ...]
    again: BoundField


class CorrectionForm(PageForm):
    """Inputs named LINE-FIELD and LINE-again, a hidden LINE-kept if the page promised a password, and a file."""

    file = forms.FileField(label="Corrected file", required=False, help_text="The file of the failed rows, as CSV.")

    def __init__(
        self, *args: Any, rows: tuple[FailedRow, ...], file_name: str, orgs: Iterable[Org], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.rows, self.file_name = rows, file_name
        schools = [(org.external_id, f"{org.name} ({org.external_id})") for org in orgs if org.external_id]
        choices = {ORG_FIELD: schools, **{name: [(v, v) for v in values] for name, values in LISTED_VALUES.items()}}
        for row in rows:
            for name in row.open_fields:
                self.add_field(f"{row.line}-{name}", field_of(name, row.values[name], choices.get(name)))
            if row.needs_password:
                password = Secret(label="Password", missing="", is_new=True, help_text=NOT_KEPT)
                self.add_field(f"{row.line}-password", password)
            again = forms.BooleanField(label="Send this row again as it is", required=False)
            self.add_field(f"{row.line}-again", again)

    def cards(self) -> list[Card]:
        """Return the rows as the page shows them."""
        return [
            Card(
                row,
                " ".join(part for part in (row.values["first_name"], row.values["last_name"]) if part),
                fault_of(row, self.file_name),
                tuple(self[f"{row.line}-{name}"] for name in (*row.open_fields, *self.password_of(row))),
                self[f"{row.line}-again"],
            )
            for row in self.rows
        ]

    def password_of(self, row: FailedRow) -> tuple[str, ...]:
        """Return the name of the field for a password, if the row has one."""
        return ("password",) if row.needs_password else ()

    def passwords(self) -> dict[int, str]:
        """Return the passwords that were typed, by the lines of their rows."""
        asked = [row.line for row in self.rows if row.needs_password]
        return {line: typed for line in asked if (typed := self.cleaned_data[f"{line}-password"])}

    def promised(self) -> set[int]:
        """Return the lines whose kept passwords the page said would be sent. They may be gone since."""
        return {row.line for row in self.rows if f"{row.line}-kept" in self.data}

    def corrected(self) -> dict[int, dict[str, str]]:
        """Return the values of the rows in which something was typed, or that were ticked, by their lines."""
        found, passwords = {}, self.passwords()
        for row in self.rows:
            values = {name: self.cleaned_data[f"{row.line}-{name}"] for name in row.open_fields}
            is_changed = any(value != row.values[name] for name, value in values.items())
            if is_changed or row.line in passwords or self.cleaned_data[f"{row.line}-again"]:
                found[row.line] = values
        return found


def fault_of(row: FailedRow, file_name: str) -> str:
    """Return the message of the row with the labels of the fields, without what its card says already."""
    said = row.message.removeprefix(f"{shown(file_name)} line {row.line}, ")
    for known in (LEFT_ALONE, SEND_AGAIN):
        said = said.replace(known, "")
    for code in row.codes:
        said = said.replace(f"? ({code}).", "?").replace(f" ({code})", "")
    return FIELD_OF_SENTENCE.sub(lambda found: LABELS[found[0]], said).strip()


def field_of(name: str, value: str, choices: list[tuple[str, str]] | None) -> forms.Field:
    """Return the input of a field: a list where the format has one, which keeps a value that is not in it."""
    if choices is None:
        return Typed(label=LABELS[name], initial=value, max_length=LONGEST_VALUE)
    kept = [] if value in dict(choices) else [(value, value or "(empty)")]
    return forms.ChoiceField(label=LABELS[name], initial=value, required=False, choices=[*kept, *choices])
