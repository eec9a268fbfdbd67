"""A pupil of day 1: from the upload of a file over a printed code to the pupil's own profile, in a real browser."""

import pytest
from browser.riverbend import BOB, PASSWORD, Riverbend, csv_of, person, signed_in, upload, wait_for_state
from browser.running import sign_in
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.xdist_group("browser")  # one server and one set-up for all but accessibility
OWN = "brisk-heron-door-17"


def test_from_upload_to_the_pupils_profile(alice_page: Page, browser: Browser, riverbend: Riverbend) -> None:
    manager = alice_page
    pupil = person(501, first_name="Zoë", last_name="Íñigo", email="zoe@riverbend.example", custom_id="0000501")
    upload(manager, riverbend.url, "Partial", csv_of(pupil), "day-1-again.csv")
    wait_for_state(manager, "Applied")

    manager.goto(f"{riverbend.url}/members")
    manager.get_by_role("link", name="Claim codes").click()
    manager.get_by_label("School or district").select_option(label="North School")
    manager.get_by_label("User type").select_option("Student")
    manager.get_by_role("button", name="Make codes and show the sheets").click()
    sheet = manager.locator(".sheet", has_text="Íñigo, Zoë")
    expect(sheet.locator(".secret")).to_have_count(2)
    identifier, code = sheet.locator(".secret").all_inner_texts()
    address = sheet.locator("span.long").inner_text()
    assert identifier == "0000501"
    manager.emulate_media(media="print")
    expect(sheet).to_be_visible()
    expect(manager.get_by_role("link", name="back to User Admin")).to_be_hidden()

    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(address)
    page.get_by_label("Student ID or Employee ID").fill(identifier)
    page.get_by_label("Code", exact=True).fill(code.lower().replace("-", " "))
    page.get_by_label("Your new password").fill(OWN)
    page.get_by_role("button", name="Set my password and sign in").click()
    expect(page.get_by_text("sign in with zoe@riverbend.example and this password")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("My profile")
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, riverbend.url, "zoe@riverbend.example", OWN)
    page.wait_for_url("**/profile")
    expect(page.get_by_text("0000501")).to_be_visible()
    page.goto(address)
    page.get_by_label("Student ID or Employee ID").fill(identifier)
    page.get_by_label("Code", exact=True).fill(code)
    page.get_by_label("Your new password").fill(PASSWORD)
    page.get_by_role("button", name="Set my password and sign in").click()
    expect(page.locator("[data-error-summary]")).to_contain_text("the code was used before")
    context.close()


@pytest.mark.night
def test_generated_password_is_changed_at_once(page: Page, browser: Browser, riverbend: Riverbend) -> None:
    signed_in(page, riverbend, BOB)
    upload(page, riverbend.url, "Partial", csv_of(person(503, email="yara@riverbend.example")), "yara.csv")
    wait_for_state(page, "Applied")
    page.goto(f"{riverbend.url}/members")
    page.get_by_label("Name, e-mail or ID").fill("yara")
    page.get_by_role("button", name="Search").click()
    page.get_by_text("found for “yara”").wait_for()
    page.locator("input[data-tick]").first.check()
    page.get_by_role("button", name="Change Password").click()
    page.get_by_role("button", name="Generate a password").click()
    password = page.locator(".sheet .secret").inner_text()

    context = browser.new_context()
    theirs = context.new_page()
    sign_in(theirs, riverbend.url, "yara@riverbend.example", password)
    theirs.goto(f"{riverbend.url}/profile")
    expect(theirs.get_by_role("heading", level=1)).to_have_text("Choose your own password")
    theirs.get_by_label("Your new password").fill(OWN)
    theirs.get_by_role("button", name="Set my password").click()
    theirs.wait_for_url("**/profile")
    expect(theirs.get_by_text("Only you know it now.")).to_be_visible()
    context.close()
