"""Every page, light and dark, wide and narrow: no axe violation, no sideways scroll. Pictures are kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from browser.looks import faults_of
from browser.riverbend import ALICE, PASSWORD, Riverbend
from browser.running import sign_in
from playwright.sync_api import Browser, Page

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


FORMS = (
    ("create-user", "/members/new", "Create User"),
    ("upload", "/bulk", "Upload and check"),
    ("create-key", "/bulk/client/keys/new", "Create key"),
    ("profile", "/profile", "Change password"),
    ("add-school", "/settings/schools/new", "Add school"),
)

FOCUSED = """() => {
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
  return [document.activeElement.tagName + document.activeElement.textContent, outlineStyle, outlineWidth];
}"""


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


@contextmanager
def opened(browser: Browser, scheme: str, width: int) -> Iterator[Page]:
    """A page in a window of this width, on a device that is set to light or dark."""
    dark_or_light: Literal["dark", "light"] = "dark" if scheme == "dark" else "light"
    context = browser.new_context(color_scheme=dark_or_light, viewport={"width": width, "height": 768})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1366, 320])
def test_every_page_can_be_used_by_everybody(
    browser: Browser, riverbend: Riverbend, screenshot_folder: Path, scheme: str, width: int
) -> None:
    with opened(browser, scheme, width) as page:
        page.goto(f"{riverbend.url}/sign-in")
        faults = faults_of(page, "sign-in")
        sign_in(page, riverbend.url, ALICE, PASSWORD)
        for name, address in addresses(riverbend).items():
            page.goto(address)
            page.screenshot(path=screenshot_folder / f"{name}-{width}-{scheme}.png", full_page=True)
            faults += faults_of(page, name)
    assert faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1366, 320])
def test_what_follows_a_form_can_be_used_by_everybody(
    browser: Browser, riverbend: Riverbend, screenshot_folder: Path, scheme: str, width: int
) -> None:
    faults: list[str] = []

    def look(page: Page, name: str) -> None:
        page.screenshot(path=screenshot_folder / f"{name}-{width}-{scheme}.png", full_page=True)
        faults.extend(faults_of(page, name))

    with opened(browser, scheme, width) as page:
        sign_in(page, riverbend.url, ALICE, PASSWORD)
        for name, path, button in FORMS:
            page.goto(riverbend.url + path)
            page.get_by_role("button", name=button).click()
            page.locator("[data-error-summary]").wait_for()
            look(page, f"{name}-errors")
        for action in ("Disable", "Change Password", "Delete"):
            page.goto(f"{riverbend.url}/members?type=Student")
            page.locator("input[data-tick]").first.check()
            page.get_by_role("button", name=action).click()
            look(page, f"confirm-{action.lower().replace(' ', '-')}")
        page.goto(f"{riverbend.url}/bulk/client/keys/new")
        page.get_by_label("Name").fill("office")
        page.get_by_role("button", name="Create key").click()
        look(page, "key-once")
        page.goto(f"{riverbend.url}/bulk/client")
        look(page, "sync-client-with-keys")
        for name, link in (("rotate", "Rotate"), ("revoke", "Revoke")):
            page.goto(f"{riverbend.url}/bulk/client")
            page.get_by_role("link", name=link).first.click()
            look(page, name)
    assert faults == []


def test_a_phone_shows_findings_and_keys_without_scrolling_sideways(
    browser: Browser, riverbend: Riverbend, screenshot_folder: Path
) -> None:
    with opened(browser, "light", 390) as page:
        sign_in(page, riverbend.url, ALICE, PASSWORD)
        page.goto(f"{riverbend.url}/bulk/client/keys/new")
        page.get_by_label("Name").fill("office")
        page.get_by_role("button", name="Create key").click()
        for name, address in (("findings", riverbend.applied_run), ("keys", f"{riverbend.url}/bulk/client")):
            page.goto(address)
            page.screenshot(path=screenshot_folder / f"{name}-390.png", full_page=True)
            table = page.locator("table.stacked")
            assert table.evaluate("each => each.scrollWidth <= each.parentElement.clientWidth")
            assert faults_of(page, name) == []


def test_whatever_has_the_keyboard_s_focus_is_outlined(browser: Browser, riverbend: Riverbend) -> None:
    with opened(browser, "light", 1366) as page:
        sign_in(page, riverbend.url, ALICE, PASSWORD)
        for path in ("/bulk", "/members"):
            page.goto(riverbend.url + path)
            names: list[str] = []
            while True:
                page.keyboard.press("Tab")
                name, style, width = page.evaluate(FOCUSED)
                if name.startswith("BODY") or name in names[:1] or len(names) > 40:
                    break
                names.append(name)
                assert (style, width) == ("solid", "3px"), name
            assert any("Sign out" in name for name in names)
