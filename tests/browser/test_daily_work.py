"""The daily work of a manager, in a real browser against a running server and worker."""

import re

import pytest
from browser.riverbend import (
    ALICE,
    BOB,
    DANA,
    PASSWORD,
    Riverbend,
    csv_of,
    person,
    signed_in,
    upload,
    wait_for_state,
)
from browser.running import sign_in
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.xdist_group("browser")  # one server and one set-up for all but accessibility


def staff(*numbers: int) -> list[dict[str, str]]:
    """Return the rows of the teachers with these numbers."""
    return [person(number, user_type="Teacher") for number in numbers]


def test_upload_approve_and_apply(alice_page: Page, riverbend: Riverbend) -> None:
    page = alice_page
    changed = person(300, user_type="Teacher", position="Chemistry")
    upload(page, riverbend.url, "Partial", csv_of(person(300, user_type="Teacher")), "one-more.csv")
    wait_for_state(page, "Applied")
    run = upload(page, riverbend.url, "Admin/Teacher/Staff", csv_of(*staff(*range(71, 78)), changed), "staff.csv")
    expect(page.get_by_role("heading", level=1)).to_contain_text("would be deleted")
    page.get_by_text("Leave: 1").click()
    expect(page.locator("#list-delete").get_by_role("cell", name="E00070")).to_be_visible()
    if page.get_by_label("Why is it right").count():
        page.get_by_label("Why is it right").fill("Moved to another district.")
    page.get_by_role("button", name="Approve: delete 1, update 1").click()
    page.wait_for_url(run)
    expect(page.get_by_role("heading", name="What happens next")).to_be_visible()
    wait_for_state(page, "Applied")
    page.goto(f"{riverbend.url}/members?status=Deleted")
    expect(page.get_by_role("cell", name="E00070")).to_be_visible()
    with page.expect_download() as report:
        page.goto(run)
        page.get_by_role("link", name="Results CSV").click()
    assert report.value.suggested_filename.endswith("-results.csv")


def test_search_while_typing(alice_page: Page, riverbend: Riverbend) -> None:
    page = alice_page
    page.goto(f"{riverbend.url}/members")
    page.get_by_label("Name, e-mail or ID").press_sequentially("hiroko")
    expect(page.get_by_text(re.compile("found for “hiroko”"))).to_be_visible()
    expect(page.get_by_label("Name, e-mail or ID")).to_be_focused()
    page.wait_for_url("**/members?search=*")
    assert "hiroko" not in page.url
    page.reload()
    expect(page.get_by_label("Name, e-mail or ID")).to_have_value("hiroko")
    expect(page.get_by_text(re.compile("found for “hiroko”"))).to_be_visible()


def test_ticks_are_counted(alice_page: Page, riverbend: Riverbend) -> None:
    page = alice_page
    page.goto(f"{riverbend.url}/members?type=Student")
    boxes = page.locator("input[data-tick]")
    boxes.nth(1).check()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(page.locator("[data-ticked]")).to_have_text("4 ticked")
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Disable 4 people?")
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url("**/members?type=Student")
    page.get_by_label("Tick all on this page").check()
    expect(page.locator("[data-ticked]")).to_have_text("50 ticked")


def test_error_summary_leads_to_field(alice_page: Page, riverbend: Riverbend) -> None:
    page = alice_page
    page.goto(f"{riverbend.url}/members/new")
    page.get_by_role("button", name="Create User").click()
    expect(page.locator("[data-error-summary]")).to_be_focused()
    expect(page).to_have_title(re.compile("^Error: Create User"))
    page.locator("[data-error-summary] a").first.click()
    expect(page.get_by_label("First name")).to_be_focused()


def test_keyboard_skips_to_content(alice_page: Page, riverbend: Riverbend) -> None:
    page = alice_page
    page.goto(f"{riverbend.url}/bulk")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


def test_key_is_copied_and_gone(alice_page: Page, riverbend: Riverbend) -> None:
    page = alice_page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=riverbend.url)
    page.goto(f"{riverbend.url}/bulk/client/keys/new")
    page.get_by_label("Name", exact=True).fill("office computer")
    page.get_by_role("button", name="Create key").click()
    secret = page.locator("#secret").inner_text()
    assert secret.startswith("sissync_")
    page.get_by_role("button", name="Copy the key").click()
    expect(page.locator("#announce")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == secret
    page.get_by_role("link", name="back to Sync Client").click()
    expect(page.locator("#secret")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert secret not in page.content()


def test_bob_and_dana_see_own(page: Page, riverbend: Riverbend) -> None:
    signed_in(page, riverbend, BOB)
    page.goto(f"{riverbend.url}/members")
    assert "South School" not in page.locator("main").inner_text()
    page.goto(riverbend.held_run)
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^North School in run"))
    assert "S1" not in page.locator("main table").inner_text()
    page.goto(f"{riverbend.url}/profile")
    page.get_by_role("button", name="Sign out").click()
    signed_in(page, riverbend, DANA)
    page.wait_for_url("**/profile")
    page.goto(f"{riverbend.url}/members")
    expect(page.get_by_role("heading", level=1)).to_have_text("Not permitted")


def test_everything_without_javascript(browser: Browser, riverbend: Riverbend) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, riverbend.url, ALICE, PASSWORD)
    rows = [person(number) for number in range(400, 403)]
    upload(page, riverbend.url, "Partial", csv_of(*rows), "without-script.csv")
    for _ in range(200):
        if page.locator("#run-body .status", has_text="Applied").count():
            break
        page.wait_for_timeout(100)
        page.reload()
    expect(page.locator("#run-body .status", has_text="Applied").first).to_be_visible()
    page.goto(f"{riverbend.url}/members?type=Student")
    page.get_by_label("Name, e-mail or ID").fill("S00401")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("found for “S00401”")).to_be_visible()
    page.locator("input[name=account]").first.check()
    page.get_by_role("button", name="Edit User Info").click()
    page.get_by_label("Middle name").fill("Quinn")
    page.get_by_role("button", name="Update").click()
    expect(page.get_by_text("The account was updated.")).to_be_visible()
    context.close()


def test_session_that_ends_keeps_what_was_typed(page: Page, riverbend: Riverbend) -> None:
    page.clock.install()
    sign_in(page, riverbend.url, ALICE, PASSWORD)
    page.goto(f"{riverbend.url}/members/new")
    page.get_by_label("First name").fill("Typed")
    token = page.locator("main [name=csrfmiddlewaretoken]").first.input_value()
    notice = page.locator("#session-end")
    page.clock.fast_forward("27:55")
    expect(notice).to_be_hidden()
    page.clock.fast_forward("00:10")
    expect(notice).to_contain_text("less than two minutes")
    page.get_by_role("button", name="Stay signed in").click()
    expect(notice).to_be_hidden()
    page.clock.fast_forward("30:00")
    expect(notice.get_by_role("link", name="sign in in another window")).to_be_visible()
    page.evaluate("dispatchEvent(new Event('focus'))")  # signed in again in another window
    expect(notice).to_be_hidden()
    expect(page.get_by_label("First name")).to_have_value("Typed")
    assert page.locator("main [name=csrfmiddlewaretoken]").first.input_value() != token
