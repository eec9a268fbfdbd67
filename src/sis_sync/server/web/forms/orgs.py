"""The forms for the first set-up, signing in, schools, rights and the settings of a district."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django import forms

from sis_sync.core.fields import USER_TYPES
from sis_sync.core.limits import Retention
from sis_sync.server.orgs.models import Org
from sis_sync.server.orgs.retention import BOUNDS, SUBJECTS
from sis_sync.server.orgs.services import NETWORK_EXAMPLES, time_zone_names
from sis_sync.server.web.forms.base import LongSelect, PageForm, Secret, Typed
from sis_sync.server.web.forms.people import org_choices

EXTERNAL_ID_HELP = "How files name it: usually the building ID in your student information system."

KEPT: dict[str, str] = {
    "files_days": "What schools sent, without passwords. A refused file is kept for 7 days.",
    "reports_days": "What each run planned and changed, row by row. After that, only its counts are kept.",
    "history_days": "Old and new values of each account, who did what and when, and the runs.",
}


@cache
def time_zones() -> tuple[str, ...]:
    """Return the names of the time zones, UTC first."""
    return ("UTC", *sorted(name for name in time_zone_names() if "/" in name and not name.startswith("Etc/")))


class SetupForm(PageForm):
    """The first school system and its first manager."""

    name = Typed(label="Name of the school system", missing="Enter the name of your district or school system.")
    time_zone = forms.ChoiceField(label="Time zone", initial="America/New_York")
    external_id = Typed(label="External ID of the district (optional)", help_text=EXTERNAL_ID_HELP)
    school_name = Typed(label="Name of a first school (optional)")
    school_external_id = Typed(label="External ID of that school (optional)", help_text=EXTERNAL_ID_HELP)
    first_name = Typed(label="Your first name", missing="Enter your first name.")
    last_name = Typed(label="Your last name", missing="Enter your last name.")
    email = Typed(
        label="Your e-mail",
        missing="Enter your e-mail address.",
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = Secret(
        label="Your password", missing="Choose a password.", is_new=True, help_text="At least 10 characters."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].choices = [(zone, zone) for zone in time_zones()]  # type: ignore[attr-defined]


class SignInForm(PageForm):
    """The sign-in form."""

    email = Typed(
        label="E-mail",
        missing="Enter your e-mail address.",
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = Secret(label="Password", missing="Enter your password.", is_new=False)


class WhichSystemForm(PageForm):
    """The form that asks for the short name of the school system before signing in."""

    slug = forms.CharField(
        label="Short name of your school system",
        error_messages={"required": "Enter the short name of your school system."},
        help_text="It is at the end of your sign-in address. Ask your district if you do not know it.",
    )


class OrgForm(PageForm):
    """A new or edited district or school."""

    name = Typed(label="Name")
    external_id = Typed(label="External ID", help_text=EXTERNAL_ID_HELP)


class NetworksForm(PageForm):
    """The schools' own networks."""

    networks = Typed(
        label="Networks",
        help_text=f"One on each line: {NETWORK_EXAMPLES}.",
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )


class OwnNamesForm(PageForm):
    """The user types whose people may change their own displayed names."""

    user_types = forms.MultipleChoiceField(
        label="Who may change their own names",
        choices=[(each, each) for each in USER_TYPES],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )


class ImportOrgsForm(PageForm):
    """A CSV file of schools."""

    file = forms.FileField(
        label="CSV file",
        help_text="First line external_id,name,kind. The kind is school or district; empty means school.",
        error_messages={"required": "Choose a CSV file.", "empty": "This file is empty. Choose another one."},
    )


class RetentionForm(PageForm):
    """The days after which data is removed. `confirmed` is set on the page that shows what will be removed."""

    confirmed = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, (least, most) in BOUNDS.items():
            self.add_field(name, days_field(name, least, most))

    @property
    def days(self) -> list[forms.BoundField]:
        """Return the fields for the days, shortest first."""
        return [self[name] for name in BOUNDS]

    @property
    def retention(self) -> Retention:
        """Return the retention of a valid form."""
        return Retention(**{name: self.cleaned_data[name] for name in BOUNDS})


def days_field(name: str, least: int, most: int) -> forms.IntegerField:
    """Return the field for a number of days."""
    fault = f"{SUBJECTS[name]}: enter {least:,} to {most:,} days."
    errors = dict.fromkeys(("required", "invalid", "min_value", "max_value"), fault)
    help_text = f"{KEPT[name]} {least:,} to {most:,} days."
    return forms.IntegerField(
        label=f"{SUBJECTS[name]} (days)", min_value=least, max_value=most, help_text=help_text, error_messages=errors
    )


class RightForm(PageForm):
    """The form that makes a person the manager of an org."""

    org = forms.ChoiceField(label="Make manager of", widget=LongSelect)

    def __init__(self, *args: Any, orgs: Iterable[Org], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["org"].choices = org_choices(orgs)  # type: ignore[attr-defined]
