"""What a page must be for everybody: no axe violation, one h1, nothing wider than the window."""

import json

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def faults_of(page: Page, name: str) -> list[str]:
    """All that is wrong with the page as it is shown now, each with the page's name."""
    faults = violations(page)
    if is_scrolled_sideways(page):
        faults.append("scrolls sideways")
    if page.get_by_role("heading", level=1).count() != 1:
        faults.append("not one h1")
    return [f"{name}: {fault}" for fault in faults]


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page as it is shown."""
    options = {"runOnly": {"type": "tag", "values": TAGS}}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{each['id']}: {json.dumps([node['target'] for node in each['nodes']])}" for each in found]


def is_scrolled_sideways(page: Page) -> bool:
    """Whether the page as a whole is wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
