"""Every page is accessible in light and dark, wide and narrow: no axe violation, no sideways scroll."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from browser.looks import LOOKS, Faults, Look, faults_of, take_screenshot, violations
from browser.riverbend import ALICE, BOB, PASSWORD, Riverbend
from browser.running import sign_in
from playwright.sync_api import Browser, Page, expect

# Its own server and set-up: together, the browser tests would take longer than all others beside them.
pytestmark = pytest.mark.xdist_group("accessibility")

LOOK_IDS = [f"{width}-{scheme}" for scheme, width in LOOKS]

PATHS = {
    "home": "/",
    "user-admin": "/members",
    "user-admin-empty": "/members?type=Staff",
    "user-admin-no-id": "/members?no_id=yes",
    "create-user": "/members/new",
    "claim-codes": "/members/codes",
    "claim": "/claim",
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
    "networks": "/settings/networks",
    "own-names": "/settings/own-names",
    "retention": "/settings/retention",
    "help": "/help/approving",
    "audit": "/audit",
    "profile": "/profile",
    "not-found": "/nowhere",
}
FORMS = (
    ("create-user", "/members/new", "Create User"),
    ("upload", "/bulk", "Upload and check"),
    ("create-key", "/bulk/client/keys/new", "Create key"),
    ("profile", "/profile", "Change password"),
    ("claim", "/claim", "Set my password and sign in"),
    ("add-school", "/settings/schools/new", "Add school"),
)
# The pages with long tables. On a phone each row is a block, so that nothing is cut off at the edge.
LISTS = ("/runs/1", "/bulk/client", "/members", "/bulk/history", "/settings", "/audit")

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
        "cancel": f"{riverbend.held_run}/cancel",
        "undo": f"{riverbend.applied_run}/undo",
        "correct": f"{riverbend.applied_run}/correct",
        "account": riverbend.bob_page,
        "edit-account": f"{riverbend.bob_page}/edit",
    }
    return {name: riverbend.url + path for name, path in PATHS.items()} | runs


@contextmanager
def signed_in_page(browser: Browser, riverbend: Riverbend, width: int, email: str = ALICE) -> Iterator[Page]:
    """Open a page in a window of this width, signed in as this person."""
    context = browser.new_context(viewport={"width": width, "height": 768})
    page = context.new_page()
    sign_in(page, riverbend.url, email, PASSWORD)
    yield page
    context.close()


@pytest.fixture(scope="module")
def faults_of_pages(browser: Browser, riverbend: Riverbend) -> Faults:
    """The faults of every page in every look."""
    faults = Faults()
    anonymous = browser.new_page()
    anonymous.goto(f"{riverbend.url}/sign-in")
    faults.look_at(anonymous, "sign-in")
    anonymous.close()
    with signed_in_page(browser, riverbend, 1366) as page:
        for name, address in addresses(riverbend).items():
            page.goto(address)
            faults.look_at(page, name)
    with signed_in_page(browser, riverbend, 1366, BOB) as page:
        for name, address in {
            "district-runs": f"{riverbend.url}/bulk/district",
            "run-of-school": f"{riverbend.applied_run}/school",
        }.items():
            page.goto(address)
            faults.look_at(page, name)
    return faults


@pytest.fixture(scope="module")
def faults_after_forms(browser: Browser, riverbend: Riverbend) -> Faults:
    """The faults, in every look, of the pages that follow a form: its errors, a question, a new key."""
    faults = Faults()
    with signed_in_page(browser, riverbend, 1366) as page:
        for name, path, button in FORMS:
            page.goto(riverbend.url + path)
            page.get_by_role("button", name=button).click()
            page.locator("[data-error-summary]").wait_for()
            faults.look_at(page, f"{name}-errors")
        page.goto(f"{riverbend.applied_run}/correct")
        page.get_by_role("button", name="Send the corrected rows").click()
        page.locator("[data-error-summary]").wait_for()
        faults.look_at(page, "correct-errors")
        for action in ("Disable", "Change Password", "Claim codes", "Delete"):
            page.goto(f"{riverbend.url}/members?type=Student")
            page.locator("input[data-tick]").first.check()
            page.locator("form").get_by_role("button", name=action).click()
            faults.look_at(page, f"confirm-{action.lower().replace(' ', '-')}")
        page.goto(f"{riverbend.url}/members?type=Student")
        page.locator("input[data-tick]").first.check()
        page.locator("input[data-tick]").nth(1).check()
        page.get_by_role("button", name="Edit User Info").click()
        faults.look_at(page, "edit-people")
        page.get_by_label("User type").select_option("Staff")
        page.get_by_role("button", name="Review the changes").click()
        page.get_by_role("heading", name="Update 2 people?").wait_for()
        faults.look_at(page, "review-people")
        page.goto(f"{riverbend.url}/members/codes")
        page.get_by_label("School or district").select_option(label="North School")
        page.get_by_role("button", name="Make codes and show the sheets").click()
        page.locator(".sheet").first.wait_for()
        faults.look_at(page, "codes-once")
        page.goto(f"{riverbend.url}/bulk/client/keys/new")
        page.get_by_label("Name", exact=True).fill("office")
        page.get_by_role("button", name="Create key").click()
        faults.look_at(page, "key-once")
        page.goto(f"{riverbend.url}/bulk/client")
        faults.look_at(page, "sync-client-with-keys")
        for name, link in (("rotate", "Rotate"), ("size", "Size of files"), ("revoke", "Revoke")):
            page.goto(f"{riverbend.url}/bulk/client")
            page.get_by_role("link", name=link).first.click()
            faults.look_at(page, name)
        page.goto(f"{riverbend.url}/bulk/settings/full")
        page.get_by_label("Requires approval after validation").uncheck()
        page.get_by_label("Never: only when").check()
        page.get_by_role("button", name="Review the changes").click()
        page.get_by_role("heading", name="Review the changes").wait_for()
        faults.look_at(page, "review-settings")
        page.goto(f"{riverbend.applied_run}/undo")
        page.get_by_role("button", name="Plan to undo").click()
        page.locator(".kept, .held, #decide").first.wait_for()
        faults.look_at(page, "decide-undo")
    return faults


@pytest.mark.parametrize("look", LOOKS, ids=LOOK_IDS)
def test_every_page_is_accessible(faults_of_pages: Faults, look: Look) -> None:
    assert faults_of_pages.by_look[look] == []


@pytest.mark.parametrize("look", LOOKS, ids=LOOK_IDS)
def test_pages_after_forms_are_accessible(faults_after_forms: Faults, look: Look) -> None:
    assert faults_after_forms.by_look[look] == []


def test_every_kind_of_row_is_judged(browser: Browser) -> None:
    rows = [f"<tr><td>{number}</td><td>Ana</td></tr>" for number in range(40)]
    rows[30] = "<tr><td>30</td><td><input></td></tr>"
    page = browser.new_page()
    page.set_content(f"<table><tbody>{''.join(rows)}</tbody></table>")
    assert [fault for fault in violations(page) if fault.startswith("label:")] == ['label: [["input"]]']
    assert page.locator("tr").count() == len(rows)
    assert page.locator("tr").nth(30).inner_text().startswith("30")
    page.close()


def test_phone_fits_every_list(browser: Browser, riverbend: Riverbend) -> None:
    with signed_in_page(browser, riverbend, 390) as page:
        page.goto(f"{riverbend.url}/bulk/client/keys/new")
        page.get_by_label("Name", exact=True).fill("office")
        page.get_by_role("button", name="Create key").click()
        expect(page.locator("#secret")).to_be_visible()
        for path in LISTS:
            page.goto(riverbend.url + path)
            take_screenshot(page, f"{path.strip('/').replace('/', '-')}-390")
            assert page.locator("table").count() == page.locator("table.stacked").count() > 0
            for table in page.locator("table").all():
                assert table.evaluate("each => each.scrollWidth <= each.parentElement.clientWidth"), path
            assert faults_of(page, path) == []


def test_keyboard_focus_is_outlined(browser: Browser, riverbend: Riverbend) -> None:
    with signed_in_page(browser, riverbend, 1366) as page:
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
