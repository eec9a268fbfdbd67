"""The forms of runs: upload a file, approve a plan, reject it."""

from typing import Any

from django import forms

from sis_sync.core.errors import ConfigurationError
from sis_sync.core.modes import MODES
from sis_sync.core.reading_options import DELIMITERS, NOTHING_SAID, options_of
from sis_sync.server.web.forms.base import PageForm, Typed
from sis_sync.server.web.words import MODE_WORDS
from sis_sync.steps.map.mapper_lines import preset_names

MODE_CHOICES = [(mode, MODE_WORDS[mode]) for mode in MODES]


class UploadForm(PageForm):
    """The upload form: a file, its mode, and the mapping of its columns."""

    mode = forms.ChoiceField(
        label="Mode",
        choices=MODE_CHOICES,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a mode: it decides what happens to people who are not in the file."},
    )
    file = forms.FileField(
        label="File",
        help_text="CSV or TSV, as your student information system wrote it, up to 1 GB.",
        error_messages={
            "required": "Choose a file.",
            "empty": "This file is empty: 0 bytes. Export it again.",
        },
    )
    mapping_name = forms.ChoiceField(
        label="Column mapping", required=False, help_text="Only if the columns have other names than ours."
    )
    mapping_lines = forms.CharField(
        label="Mapping lines (optional)",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="The mapper lines of your client.properties, if you use some. They replace the choice above.",
    )

    encoding = forms.CharField(
        label="Encoding",
        required=False,
        max_length=40,
        help_text="Only if names came out wrong: windows-1250, for example. Otherwise it is detected.",
    )
    delimiter = forms.ChoiceField(
        label="Delimiter",
        required=False,
        choices=[("", "Found in the file"), *((word, word) for word in DELIMITERS.values())],
    )
    header = forms.CharField(
        label="Line of the header",
        required=False,
        max_length=4,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        help_text="Only if the names of the columns are not found: the number of their line.",
    )

    def clean(self) -> None:
        """Make `options` of the words about reading the file."""
        self.cleaned_data["options"] = NOTHING_SAID
        for name in ("encoding", "delimiter", "header"):
            try:
                said = options_of(
                    {name: self.cleaned_data.get(name, "")}, called=lambda name: str(self.fields[name].label)
                )
            except ConfigurationError as error:
                self.add_refusal(error, name)
            else:
                self.cleaned_data["options"] = said.over(self.cleaned_data["options"])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [("", "None: the columns have our names"), *((name, name) for name in preset_names())]
        self.fields["mapping_name"].choices = names  # type: ignore[attr-defined]
        self.fields["file"].widget.attrs["accept"] = ".csv,.tsv,.txt,text/csv,text/tab-separated-values"


class ApproveForm(PageForm):
    """The approve form: the digest of the shown plan, and what must be typed for it: a number, a reason."""

    digest = forms.CharField(widget=forms.HiddenInput)
    typed = forms.CharField(
        label="Number", required=False, widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    )

    reason = forms.CharField(
        label="Reason", required=False, max_length=500, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def clean_typed(self) -> int | None:
        """Return the typed number, without commas and spaces; None for anything else."""
        plain = self.cleaned_data["typed"].replace(",", "").replace(" ", "")
        return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 10 else None


class RejectForm(PageForm):
    """The reject form: a reason."""

    reason = Typed(
        label="Reason",
        missing="Say why you reject it. The sender of the file will read it.",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
