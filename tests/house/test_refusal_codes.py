"""The codes of refused files: what the program raises is what the page explains."""

import re

from house.tracked import ROOT

from sis_sync.core.refusals import REFUSAL_CODES

RAISED = re.compile(r'(?:FileRefused|return FileRefused)\(\s*"(file\.\w+)"')


def test_every_refusal_explained_and_raised() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")]
    raised = {code for text in sources for code in RAISED.findall(text)}
    assert raised == set(REFUSAL_CODES)


def test_format_page_lists_refusals() -> None:
    page = (ROOT / "docs" / "file-format.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(file\.\w+)` \| (?!warning|error)", page, re.MULTILINE)
    assert rows == list(REFUSAL_CODES)
