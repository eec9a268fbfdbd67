"""The forms of the first sign-in: claim an account, choose one's own password, make claim codes."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django import forms

from sis_sync.core.fields import GRADES, USER_TYPES
from sis_sync.server.accounts.first_sign_in import USUAL_VALIDITY, VALID_DAYS
from sis_sync.server.orgs.models import Org
from sis_sync.server.web.forms.base import LongSelect, PageForm, Secret, Typed
from sis_sync.server.web.forms.people import choices, org_choices

HOW_TO_CHOOSE = "At least 10 characters. Do not use your name or your ID."
NOT_CHOSEN = "Choose a password."


class ClaimForm(PageForm):
    """What someone enters from the sheet of the school, and the new password."""

    name = Typed(
        label="Student ID or Employee ID",
        missing="Enter the ID on your sheet.",
        help_text="As on your sheet, with all zeros. If your sheet shows an e-mail address instead, enter that.",
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    code = Typed(
        label="Code",
        missing="Enter the code on your sheet.",
        help_text="Eight letters and digits. Small letters and spaces do not matter.",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    password = Secret(label="Your new password", missing=NOT_CHOSEN, is_new=True, help_text=HOW_TO_CHOOSE)


class ChosenPasswordForm(PageForm):
    """A person's own password, instead of the one that someone else knows."""

    password = Secret(label="Your new password", missing=NOT_CHOSEN, is_new=True, help_text=HOW_TO_CHOOSE)


class ClaimCodesForm(PageForm):
    """Who gets a claim code, and for how long."""

    org = forms.ChoiceField(label="School or district", widget=LongSelect)
    user_type = forms.ChoiceField(label="User type", required=False, choices=choices(USER_TYPES, empty="All types"))
    grade = forms.ChoiceField(label="Grade", required=False, choices=choices(GRADES, empty="All grades"))
    days = forms.TypedChoiceField(
        label="The codes work for",
        coerce=int,
        choices=[(str(days), f"{days} days") for days in VALID_DAYS],
        initial=str(USUAL_VALIDITY.days),
    )
    are_all = forms.BooleanField(
        label="Also people who have a code already",
        required=False,
        help_text="They get a new code, and the one on their old sheet stops working.",
    )

    def __init__(self, *args: Any, orgs: Iterable[Org], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["org"].choices = org_choices(orgs)  # type: ignore[attr-defined]

    @property
    def valid_for(self) -> timedelta:
        """Return how long the codes of a valid form work."""
        return timedelta(days=self.cleaned_data["days"])
