"""Vendored front-end files have the SHA-256 sums that VENDORED.md lists."""

import hashlib
import re
from pathlib import Path

from house.tracked import ROOT, tracked_files

SHA256 = re.compile(r"\b[0-9a-f]{64}\b")


def listed(page: Path) -> dict[str, str]:
    """Return file -> hash, from each line with a hash; the file is the first name in the line that exists."""
    found = {}
    for line in page.read_text(encoding="utf-8").splitlines():
        digest = SHA256.search(line)
        if digest:
            names = [name for name in re.findall(r"[\w./-]+\.\w+", line) if (page.parent / name).is_file()]
            assert names, f"{page.relative_to(ROOT)} names no existing file: {line}"
            found[names[0]] = digest[0]
    return found


def test_vendored_files_have_listed_sums() -> None:
    pages = tracked_files("src/*VENDORED.md")
    assert pages, "vendored files need a VENDORED.md next to them"
    for page in pages:
        hashes = listed(page)
        assert hashes == {name: hashlib.sha256((page.parent / name).read_bytes()).hexdigest() for name in hashes}


def test_no_vendored_file_is_unlisted() -> None:
    for page in tracked_files("src/*VENDORED.md"):
        here = tracked_files(f"{page.parent.relative_to(ROOT)}/*")
        vendored = {path.name for path in here if path.suffix in {".js", ".css", ".map", ".woff2"}}
        assert vendored <= {Path(name).name for name in listed(page)}


def test_pages_load_nothing_from_elsewhere() -> None:
    elsewhere = r"""["']?(?:https?:)?//"""
    loading = re.compile(rf"<(?:script|link|img)\b[^>]*(?:src|href)={elsewhere}|(?:@import\s+|url\(){elsewhere}")
    pages = tracked_files("src/*.html", "src/*.css")
    assert [str(page.relative_to(ROOT)) for page in pages if loading.search(page.read_text("utf-8"))] == []
