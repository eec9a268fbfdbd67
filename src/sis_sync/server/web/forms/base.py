"""A form that shows its faults the same way on every page."""

from typing import Any

from django import forms

from sis_sync.server.errors import ValuesRefused

WIDE_CLASSES: dict[type[forms.Widget], str] = {
    forms.CheckboxInput: "form-check-input",
    forms.CheckboxSelectMultiple: "form-check-input",
    forms.RadioSelect: "form-check-input",
    forms.Select: "form-select",
}


class PageForm(forms.Form):
    """A form with our looks. Widgets get Bootstrap's classes; the browser's own bubbles are off."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            looks = WIDE_CLASSES.get(type(field.widget), "form-control")
            field.widget.attrs.setdefault("class", looks)

    def take_refusals(self, refused: ValuesRefused) -> None:
        """Show what a service refused beside the fields it names, the rest on top."""
        for name, message in refused.errors.items():
            self.add_error(name if name in self.fields else None, message)


class Typed(forms.CharField):
    """Text exactly as typed: trimming and judging are the services'. `required` speaks in our words."""

    def __init__(self, *, missing: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("required", bool(missing))
        super().__init__(strip=False, error_messages={"required": missing}, **kwargs)


class Secret(Typed):
    """A password: never shown again, not even after a fault."""

    widget = forms.PasswordInput

    def __init__(self, *, missing: str, is_new: bool, **kwargs: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password" if is_new else "current-password"})
        super().__init__(missing=missing, widget=widget, **kwargs)
