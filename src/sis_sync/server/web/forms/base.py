"""The base of all forms: a common look, common error messages, and text kept as typed."""

from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from sis_sync.core.errors import SisSyncError
from sis_sync.core.limits import PASSWORD_CHARACTERS
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.web.words import error_words


class LongSelect(forms.Select):
    """A choice that may be long. Django would fill in a template for each option: 60 ms for 400 schools."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Return the list as HTML."""
        chosen = set(self.format_value(value))
        options = (
            (option, mark_safe(" selected") if str(option) in chosen else "", label) for option, label in self.choices
        )
        return format_html(
            "<select{}>{}</select>",
            flatatt(self.build_attrs(self.attrs, {**(attrs or {}), "name": name})),
            format_html_join("", '<option value="{}"{}>{}</option>', options),
        )


WIDGET_CLASSES: dict[type[forms.Widget], str] = {
    forms.CheckboxInput: "form-check-input",
    forms.CheckboxSelectMultiple: "form-check-input",
    forms.RadioSelect: "form-check-input",
    forms.Select: "form-select",
    LongSelect: "form-select",
}


class PageForm(forms.Form):
    """A form whose widgets have Bootstrap's classes. The server checks it, not the browser."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in list(self.fields.items()):
            self.add_field(name, field)

    def add_field(self, name: str, field: forms.Field) -> None:
        """Add the field, or replace the one with this name. Set the CSS class of its widget."""
        field.widget.attrs.setdefault("class", WIDGET_CLASSES.get(type(field.widget), "form-control"))
        self.fields[name] = field

    def add_refusal(self, error: SisSyncError, field: str | None = None) -> None:
        """Show why a service refused the form: next to the fields that the error names, or next to `field`.

        Without a field, show the reason at the top.
        """
        if isinstance(error, ValuesRefused):
            for name, message in error.errors.items():
                self.add_error(name if name in self.fields else field, message)
        else:
            self.add_error(field, error_words(error))


class Typed(forms.CharField):
    """Text exactly as it was typed: the services trim and check it. `missing` is the message for an empty value."""

    def __init__(self, *, missing: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("required", bool(missing))
        super().__init__(strip=False, error_messages={"required": missing}, **kwargs)


class Secret(Typed):
    """A password. It is never sent back to the page, not even after an error."""

    widget = forms.PasswordInput

    def __init__(self, *, missing: str, is_new: bool, **kwargs: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password" if is_new else "current-password"})
        # Not max_length: the browser would cut a pasted password without a word.
        too_long = f"Passwords have at most {PASSWORD_CHARACTERS:,} characters."
        longest = MaxLengthValidator(PASSWORD_CHARACTERS, too_long)
        super().__init__(missing=missing, widget=widget, validators=[longest], **kwargs)


def secret_labels() -> dict[str, str]:
    """Return the names of the passwords in all forms, with their labels."""
    forms_of_pages, found = [PageForm], dict[str, str]()
    while forms_of_pages:
        form = forms_of_pages.pop()
        forms_of_pages += form.__subclasses__()
        found |= {name: str(field.label) for name, field in form.base_fields.items() if isinstance(field, Secret)}
    return found
