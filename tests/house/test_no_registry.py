"""The repository names no package index: where packages come from is a setting of the machine that installs."""

import re
from pathlib import Path

from house.tracked import ROOT, tracked_files

INDEX_OPTION = re.compile(r"--(extra-)?index-url|--find-links|--trusted-host|\bindex_url *=|\bUV_INDEX")
FROM_INDEX = re.compile(r"pip install [^\n]*?(?<![\w/.-])['\"]?sis[-_]sync(?![\w.-]*\.whl)")
INDEX_ADDRESS = re.compile(r"https?://[^ \"'`)]+/simple\b|files\.pythonhosted\.|registry\.npmjs\.")


def is_text(content: bytes) -> bool:
    return b"\0" not in content[:8000]


def test_no_file_names_a_registry() -> None:
    hits = []
    for path in tracked_files():
        content = path.read_bytes()
        if path.name == Path(__file__).name or not is_text(content):
            continue
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
            if INDEX_OPTION.search(line) or INDEX_ADDRESS.search(line):
                hits.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert hits == []


def test_no_page_installs_from_index() -> None:
    """No index has the package yet: pages and messages name a wheel or a checkout."""
    pages = tracked_files("*.md", "src/*.html", "src/*.py")
    assert [str(path.relative_to(ROOT)) for path in pages if FROM_INDEX.search(path.read_text("utf-8"))] == []
