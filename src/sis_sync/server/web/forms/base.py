"""The base of all forms: they look alike, show their faults alike, and keep text as it was typed."""

from typing import Any

from django import forms

from sis_sync.core.errors import SisSyncError
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.web.words import error_words

WIDGET_CLASSES: dict[type[forms.Widget], str] = {
    forms.CheckboxInput: "form-check-input",
    forms.CheckboxSelectMultiple: "form-check-input",
    forms.RadioSelect: "form-check-input",
    forms.Select: "form-select",
}


class PageForm(forms.Form):
    """A form whose widgets have Bootstrap's classes. The browser does not check it: the faults are ours to show."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in list(self.fields.items()):
            self.add_field(name, field)

    def add_field(self, name: str, field: forms.Field) -> None:
        """Add the field, or put it in the place of the one with this name, with the class of its widget."""
        field.widget.attrs.setdefault("class", WIDGET_CLASSES.get(type(field.widget), "form-control"))
        self.fields[name] = field

    def add_refusal(self, error: SisSyncError, field: str | None = None) -> None:
        """Show why a service refused the form: next to the fields that the error names, else next to `field`.

        Without a field it is shown at the top.
        """
        if isinstance(error, ValuesRefused):
            for name, message in error.errors.items():
                self.add_error(name if name in self.fields else field, message)
        else:
            self.add_error(field, error_words(error))


class Typed(forms.CharField):
    """Text exactly as it was typed: the services trim and check it. `missing` is the fault if it is required."""

    def __init__(self, *, missing: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("required", bool(missing))
        super().__init__(strip=False, error_messages={"required": missing}, **kwargs)


class Secret(Typed):
    """A password. It is never sent back to the page, not even after a fault."""

    widget = forms.PasswordInput

    def __init__(self, *, missing: str, is_new: bool, **kwargs: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password" if is_new else "current-password"})
        super().__init__(missing=missing, widget=widget, **kwargs)
