"""Every page, light and dark, wide and narrow: no axe violation, no sideways scroll. Pictures are kept."""

import json
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.riverbend import ALICE, PASSWORD, Riverbend
from browser.running import sign_in
from playwright.sync_api import Browser, Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PATHS = {
    "home": "/",
    "user-admin": "/members",
    "user-admin-empty": "/members?type=Staff",
    "user-admin-no-id": "/members?no_id=yes",
    "create-user": "/members/new",
    "upload": "/bulk",
    "pending": "/bulk/pending",
    "history": "/bulk/history",
    "mappings": "/bulk/mappings",
    "sync-settings": "/bulk/settings",
    "mode-settings": "/bulk/settings/students",
    "sync-client": "/bulk/client",
    "create-key": "/bulk/client/keys/new",
    "settings": "/settings",
    "add-school": "/settings/schools/new",
    "import-schools": "/settings/schools/import",
    "edit-school": "/settings/schools/2",
    "audit": "/audit",
    "profile": "/profile",
    "not-found": "/nowhere",
}


def addresses(riverbend: Riverbend) -> dict[str, str]:
    """Each page by its name."""
    runs = {
        "run-applied": riverbend.applied_run,
        "run-held": riverbend.held_run,
        "run-held-deletions": f"{riverbend.held_run}?action=delete",
        "run-refused": riverbend.refused_run,
        "approve": f"{riverbend.held_run}/approve",
        "reject": f"{riverbend.held_run}/reject",
        "account": riverbend.bob_page,
        "edit-account": f"{riverbend.bob_page}/edit",
    }
    return {name: riverbend.url + path for name, path in PATHS.items()} | runs


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page as it is shown."""
    options = {"runOnly": {"type": "tag", "values": TAGS}}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{each['id']}: {json.dumps([node['target'] for node in each['nodes']])}" for each in found]


def is_scrolled_sideways(page: Page) -> bool:
    """Whether the page as a whole is wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1366, 320])
def test_every_page_can_be_used_by_everybody(
    browser: Browser, riverbend: Riverbend, screenshot_folder: Path, scheme: str, width: int
) -> None:
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": 768}
    )
    page = context.new_page()
    faults = []
    page.goto(f"{riverbend.url}/sign-in")
    faults += [f"sign-in: {fault}" for fault in violations(page)]
    sign_in(page, riverbend.url, ALICE, PASSWORD)
    for name, address in addresses(riverbend).items():
        page.goto(address)
        page.screenshot(path=screenshot_folder / f"{name}-{width}-{scheme}.png", full_page=True)
        faults += [f"{name}: {fault}" for fault in violations(page)]
        if is_scrolled_sideways(page):
            faults.append(f"{name}: scrolls sideways")
        if page.get_by_role("heading", level=1).count() != 1:
            faults.append(f"{name}: not one h1")
    context.close()
    assert faults == []
