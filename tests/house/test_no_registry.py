"""Nothing in the repository says where packages come from: that is the installer's own setting."""

import re
from pathlib import Path

from house.tracked import ROOT, tracked_files

INDEX_OPTION = re.compile(r"--(extra-)?index-url|--find-links|--trusted-host|\bindex_url *=|\bUV_INDEX")
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
