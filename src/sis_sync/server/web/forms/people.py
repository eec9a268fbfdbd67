"""The forms for accounts: search, create, edit, set a password, confirm a deletion."""

from collections.abc import Iterable
from typing import Any

from django import forms

from sis_sync.core.fields import ACTIVE, GRADES, STATUSES, USER_TYPES
from sis_sync.core.limits import DELETIONS_WITHOUT_TYPING
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.selectors import DELETED
from sis_sync.server.orgs.models import Org
from sis_sync.server.web.forms.base import LongSelect, PageForm, Secret, Typed
from sis_sync.server.web.words import id_label

MUST_CHANGE = "They must choose another password at their next sign-in"


def choices(values: Iterable[str], *, empty: str | None = None) -> list[tuple[str, str]]:
    """Return options whose value is also their label. `empty` is the label of no choice."""
    return [*([("", empty)] if empty is not None else []), *((value, value) for value in values)]


def org_choices(orgs: Iterable[Org], *, empty: str | None = None) -> list[tuple[str, str]]:
    """Return the orgs as options. `empty` is the label of no choice."""
    return [*([("", empty)] if empty is not None else []), *((str(org.pk), org.name) for org in orgs)]


class SearchForm(PageForm):
    """Search and filters of the list of people. The text may name people, so POST sends it, never an address."""

    text = forms.CharField(label="Name, e-mail or ID", required=False, max_length=254)
    type = forms.ChoiceField(label="User type", required=False, choices=choices(USER_TYPES, empty="All types"))
    school = forms.ChoiceField(label="School or district", required=False, widget=LongSelect)
    status = forms.ChoiceField(
        label="Status",
        required=False,
        choices=[("", "Active and disabled"), *choices((*STATUSES, DELETED))],
    )
    no_id = forms.BooleanField(label="No Employee/Student ID", required=False)

    def __init__(self, *args: Any, orgs: Iterable[Org], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["school"].choices = org_choices(orgs, empty="All")  # type: ignore[attr-defined]
        self.fields["text"].widget.attrs.update(type="search", autocomplete="off")


class AccountForm(PageForm):
    """The fields of one account. The label of the ID depends on the user type."""

    first_name = Typed(label="First name")
    middle_name = Typed(label="Middle name (optional)")
    last_name = Typed(label="Last name")
    email = Typed(label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    user_type = forms.ChoiceField(label="User type", choices=choices(USER_TYPES))
    custom_id = Typed(
        label=id_label(""),
        help_text="The ID in your student information system. Without one, no file can find or change this account.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    org = forms.ChoiceField(label="School or district", widget=LongSelect)
    grade = forms.ChoiceField(
        label="Grade (students only)",
        required=False,
        choices=[("", "Not a student"), *choices(GRADES)],
    )
    position = Typed(label="Position (not for students, optional)")
    status = forms.ChoiceField(label="Status", choices=choices(STATUSES), initial=ACTIVE)

    def __init__(self, *args: Any, orgs: Iterable[Org], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["org"].choices = org_choices(orgs)  # type: ignore[attr-defined]
        user_type = (self.data if self.is_bound else self.initial).get("user_type") or ""
        self.fields["custom_id"].label = id_label(user_type)


class EditAccountForm(AccountForm):
    """An existing account, which can also be protected from sync.

    It sends back which values the page showed. So a value that no one touched does not overwrite a newer one.
    """

    is_protected = forms.BooleanField(
        label="Protected from sync",
        required=False,
        help_text="No file changes, disables or deletes this account while this is ticked.",
    )
    protected_reason = Typed(label="Reason for the protection", help_text="Shown in the history and in run reports.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True

    def is_touched(self, name: str) -> bool:
        """Return True if the person changed the value that the page showed, or if it is not known what it showed."""
        return name in self.changed_data or self[name].html_initial_name not in self.data


AS_IT_IS = "Leave as it is"


class EditPeopleForm(PageForm):
    """What several people get in common. Everything may be left as it is, but not all of it."""

    org = forms.ChoiceField(label="School or district", required=False, widget=LongSelect)
    user_type = forms.ChoiceField(label="User type", required=False, choices=choices(USER_TYPES, empty=AS_IT_IS))
    grade = forms.ChoiceField(
        label="Grade",
        required=False,
        choices=choices(GRADES, empty=AS_IT_IS),
        help_text="Only students have one: all others stay without.",
    )
    position = Typed(
        label="Position",
        help_text="Leave it empty to leave it as it is. Students have none and stay without.",
    )
    protection = forms.ChoiceField(
        label="Protected from sync",
        required=False,
        choices=[("", AS_IT_IS), ("yes", "Protect: no file changes, disables or deletes them"), ("no", "End it")],
    )
    protected_reason = Typed(label="Reason for the protection", help_text="Shown in the history and in run reports.")

    def __init__(self, *args: Any, orgs: Iterable[Org], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["org"].choices = org_choices(orgs, empty=AS_IT_IS)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Refuse a form that changes nothing."""
        chosen: dict[str, Any] = self.cleaned_data
        if not self.errors and not any(chosen[name].strip() for name in chosen if name != "protected_reason"):
            raise forms.ValidationError("Nothing is chosen. Choose what these people get, or Cancel.")
        return chosen


class CreateAccountForm(AccountForm):
    """A new account. Without a password the person cannot sign in yet."""

    password = Secret(
        label="Password (optional)",
        missing="",
        is_new=True,
        help_text="Leave it empty if the person gets a claim code, or should not sign in yet. At least 10 characters.",
    )
    must_change = forms.BooleanField(label=MUST_CHANGE, required=False, initial=True)


class OwnPasswordForm(PageForm):
    """The form to change one's own password. It asks for the present password too."""

    present = Secret(label="Present password", missing="Enter your present password.", is_new=False)
    password = Secret(
        label="New password", missing="Enter a new password.", is_new=True, help_text="At least 10 characters."
    )


class OwnNamesForm(PageForm):
    """The form to change one's own names."""

    first_name = Typed(label="First name")
    middle_name = Typed(label="Middle name (optional)")
    last_name = Typed(label="Last name")


class NewPasswordForm(PageForm):
    """The form for a manager to set a person's password. Nothing is typed for passwords that are generated."""

    password = Secret(
        label="New password",
        missing="Enter a new password, or generate one.",
        is_new=True,
        help_text="At least 10 characters. Tell it to the person in a safe way.",
    )
    must_change = forms.BooleanField(label=MUST_CHANGE, required=False, initial=True)

    def __init__(self, *args: Any, is_typed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_typed:
            del self.fields["password"]


class DeleteForm(PageForm):
    """The form that confirms an action. To delete more than 10 people, their number must be typed."""

    typed = forms.CharField(
        required=False, widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    )

    def __init__(self, *args: Any, people: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = people
        self.fields["typed"].label = f"Type {people:,} to delete these {people:,} people"

    @property
    def is_typing_needed(self) -> bool:
        """True if the number must be typed."""
        return self.people > DELETIONS_WITHOUT_TYPING

    def clean_typed(self) -> str:
        """Return the number as typed. Commas and spaces in it do not matter."""
        typed: str = self.cleaned_data["typed"]
        if self.is_typing_needed and typed.replace(",", "").replace(" ", "") != str(self.people):
            raise forms.ValidationError(
                f"Type {self.people:,}, the number of people that will be deleted. Nothing was deleted."
            )
        return typed


def initial_values(account: Account) -> dict[str, Any]:
    """Return the values of the account for the edit form."""
    names = ("first_name", "middle_name", "last_name", "email", "user_type", "grade", "position", "status")
    return {
        **{name: getattr(account, name) for name in names},
        "custom_id": account.custom_id or "",
        "org": str(account.org_id),
        "is_protected": account.is_protected,
        "protected_reason": account.protected_reason,
    }
