"""The forms of the tabs Sync settings and Sync Client: the settings of one mode, and a new API key."""

from collections.abc import Iterable
from typing import Any

from django import forms

from sis_sync.core.environment import FIRST_FILE_MB as FIRST_FILE_SETTING
from sis_sync.core.guards import SETTABLE_LIMITS
from sis_sync.core.limits import FILE_LIMITS
from sis_sync.core.modes import MODES, OTHER_FIELDS
from sis_sync.server.keys.services import SCOPES
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.models import ModeSettings
from sis_sync.server.web.forms.base import LongSelect, PageForm, Typed
from sis_sync.server.web.forms.people import org_choices
from sis_sync.server.web.forms.runs import MODE_CHOICES
from sis_sync.server.web.words import field_word

MAX_FILE_MB = FILE_LIMITS.file_bytes >> 20
FIRST_FILE_MB = FIRST_FILE_SETTING.number()
SCOPE_CHOICES = [
    ("upload", "Upload files and follow their runs. It learns which rows failed, and nothing else about people here."),
    (
        "own_results",
        "See the results of its own files: whether each person is new, changed or unchanged, and why a row failed. "
        "With this, anyone who has the key can find out which IDs and addresses have an account here.",
    ),
    ("read", "See all runs of its school or district, from any sender, with the names and old values of people"),
    ("approve", "Approve runs that no limit holds and that delete no one"),
]
LIMIT_WORDS: dict[str, str] = {
    "deletions_percent": "Percent of all people who would leave",
    "deletions_count": "Number of people who would leave",
    "deletions_slice_percent": "Percent of one school or user type who would leave",
    "failed_rows_percent": "Percent of rows that failed",
}


class ModeSettingsForm(PageForm):
    """The settings of one mode. A mode that ignores absence has no settings for people who leave.

    `reviewed` is sent by the page that shows old and new values. `seen` identifies the values that it was made from.
    """

    requires_approval = forms.BooleanField(
        label="Requires approval after validation",
        required=False,
        help_text="If it is off, a file changes accounts as soon as it is checked, unless a limit holds its run.",
    )
    needs_two_persons = forms.BooleanField(
        label="Two persons: the person who sent a file may not approve it",
        required=False,
        help_text="Every run then waits for a second manager. A file from a key counts as sent by the manager who made "
        "the key. A person who asks to take a run back may not approve that either.",
    )
    creates_disabled = forms.BooleanField(
        label="Create disabled people",
        required=False,
        help_text="If it is off, people who are Disabled in the file and have no account here, such as those who left "
        "long ago, get none.",
    )
    on_absent = forms.ChoiceField(
        label="What happens to people who are not in the file",
        choices=ModeSettings.OnAbsent.choices,
        widget=forms.RadioSelect,
    )
    sets_names = forms.ChoiceField(
        label=field_word("sets_names"),
        choices=ModeSettings.Names.choices,
        widget=forms.RadioSelect,
        required=False,
        help_text="Unless edited here: a first, middle or last name that someone changed here stays as long as the SIS "
        "sends the same value as before. If the SIS sends a new one, the file sets it. The run tells you of both.",
    )
    sets_passwords = forms.ChoiceField(
        label=field_word("sets_passwords"),
        choices=ModeSettings.Passwords.choices,
        widget=forms.RadioSelect,
        required=False,
        help_text="On: people who have an account get the password of the file too, if it is not the one that a file "
        "brought for them last. A password that they have chosen since stays until then. People with rights never get "
        "one from a file.",
    )
    reviewed = forms.BooleanField(required=False, widget=forms.HiddenInput)
    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    without_approval = forms.BooleanField(
        label="Apply files of this mode before anyone has looked at what they change", required=False
    )

    def __init__(self, *args: Any, judges_absence: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not judges_absence:
            del self.fields["on_absent"]
        for name in SETTABLE_LIMITS:
            if judges_absence or not name.startswith("deletions_"):
                self.add_field(name, limit_field(name))
        for name in OTHER_FIELDS:
            label, choices = field_word(f"sets_{name}"), ModeSettings.Sets.choices
            self.add_field(f"sets_{name}", forms.ChoiceField(label=label, choices=choices, required=False))

    @property
    def limits(self) -> list[forms.BoundField]:
        """Return the fields of the limits, in the order of the guards."""
        return [self[name] for name in SETTABLE_LIMITS if name in self.fields]

    @property
    def field_settings(self) -> list[forms.BoundField]:
        """Return the field settings except those of names and passwords, in the order of the fields."""
        return [self[f"sets_{name}"] for name in OTHER_FIELDS]

    @property
    def values(self) -> dict[str, Any]:
        """Return the settings that were chosen, without what only the review needs."""
        asked = ("reviewed", "seen", "without_approval")
        return {name: value for name, value in self.cleaned_data.items() if name not in asked and value != ""}


def limit_field(name: str) -> forms.IntegerField:
    """Return the field of a limit: a whole number from 0 up."""
    label = LIMIT_WORDS[name]
    most = 100 if name.endswith("_percent") else 1_000_000
    fault = f"{label}: enter a whole number from 0 to {most:,}."
    errors = dict.fromkeys(("required", "invalid", "min_value", "max_value"), fault)
    return forms.IntegerField(label=label, min_value=0, max_value=most, error_messages=errors)


class FileSizeForm(PageForm):
    """The size of a file that a key may send before a person has approved one of its runs."""

    first_file_mb = forms.IntegerField(
        label="Megabytes, unpacked",
        required=False,
        min_value=1,
        max_value=MAX_FILE_MB,
        help_text=f"Leave it empty for {FIRST_FILE_MB:,} MB.",
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"), f"Enter a whole number from 1 to {MAX_FILE_MB:,}, or nothing."
        ),
    )


class KeyForm(PageForm):
    """A new API key."""

    name = Typed(label="Name", help_text="For example the computer that will use it.")
    org = forms.ChoiceField(
        widget=LongSelect,
        label="For",
        help_text="The key can change people of this school only; for the district, all people.",
    )
    scopes = forms.MultipleChoiceField(
        label="The key may",
        help_text="A sync client needs the first only. Each other one shows more to anyone who copies the key.",
        choices=SCOPE_CHOICES,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    modes = forms.MultipleChoiceField(
        label="Modes", choices=MODE_CHOICES, widget=forms.CheckboxSelectMultiple, required=False
    )
    expires_on = forms.DateField(
        label="Last day (optional)",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": "Write the day as 2027-06-30."},
    )

    def __init__(self, *args: Any, orgs: Iterable[Org], **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"scopes": SCOPES[:1], "modes": list(MODES)})
        super().__init__(*args, **kwargs)
        self.fields["org"].choices = org_choices(orgs)  # type: ignore[attr-defined]
