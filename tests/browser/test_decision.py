"""An ordinary night and a cut-off file are decided on one page, by the keyboard, with and without JavaScript."""

from pathlib import Path

import pytest
from browser.riverbend import ALICE, PASSWORD, Riverbend, csv_of, person, upload
from browser.running import sign_in
from django.template.loader import render_to_string
from kit.plans import at_night
from playwright.sync_api import Browser, Page, expect

from sis_sync.server import web
from sis_sync.server.runs.selectors import PlanRow
from sis_sync.server.web.templatetags.pages import one_line

pytestmark = pytest.mark.xdist_group("browser")  # one server and one set-up for all but accessibility

MOST_PRESSES = 12
FOCUSED = """() => {
  const { id, tagName, textContent } = document.activeElement;
  return ["A", "BUTTON"].includes(tagName) ? textContent : id;
}"""


class Keys:
    """Presses keys on a page and counts them. What is typed into a field does not count."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.pressed = 0

    def press(self, key: str) -> None:
        """Press one key."""
        self.pressed += 1
        self.page.keyboard.press(key)

    def go_to(self, name: str) -> None:
        """Press Tab until the control with this name has the focus."""
        while not str(self.page.evaluate(FOCUSED)).strip().startswith(name):
            assert self.pressed < MOST_PRESSES, f"{name} is not within reach"
            self.press("Tab")


def decision(page: Page, riverbend: Riverbend, *rows: dict[str, str]) -> str:
    """Upload a list of students, and return its address as soon as it can be decided."""
    run = upload(page, riverbend.url, "Student Only", csv_of(*rows), "night.csv")
    look_until(page, "#decide")
    return run


def look_until(page: Page, selector: str) -> None:
    """Wait until the page shows this. A page without JavaScript is loaded again; others follow by themselves."""
    has_script = page.locator("html.js").count()
    for _ in range(600):
        if page.locator(selector).count():
            return
        page.wait_for_timeout(100)
        if not has_script:
            page.goto(page.url)
    raise AssertionError(f"{selector} is not on the page of the run")


@pytest.mark.parametrize("has_script", [True, *at_night(False)], ids=["with-script", "without-script"])
def test_decided_by_the_keyboard(browser: Browser, riverbend: Riverbend, has_script: bool) -> None:
    context = browser.new_context(java_script_enabled=has_script, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    sign_in(page, riverbend.url, ALICE, PASSWORD)
    everyone = [person(number) for number in range(60)]
    run = decision(page, riverbend, *everyone[:20])  # cut off: 40 would be deleted
    page.goto(run)
    keys = Keys(page)
    keys.go_to("Skip to the decision")
    keys.press("Enter")
    keys.go_to("id_reason")
    page.keyboard.type("The export was cut off.")
    keys.press("Enter")  # the first button of a run on hold rejects it
    page.wait_for_url(run)
    expect(page.locator("#run-body .status").first).to_have_text("Rejected")
    rejected_with = keys.pressed
    new_name = f"Quinn{has_script}"
    run = decision(page, riverbend, {**everyone[0], "middle_name": new_name}, *everyone[1:-1])
    page.goto(run)
    keys = Keys(page)
    keys.go_to("Skip to the decision")
    keys.press("Enter")
    if page.locator("#id_reason").count():
        keys.go_to("id_reason")
        page.keyboard.type("One pupil has left.")
    keys.go_to("Approve: ")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="What happens next")).to_be_visible()
    assert rejected_with < MOST_PRESSES
    assert keys.pressed <= MOST_PRESSES
    look_until(page, "#run-body .status:has-text('Applied')")
    upload(page, riverbend.url, "Partial", csv_of(everyone[-1]), "back.csv")
    context.close()


def test_first_screen_holds_verdict_and_form(browser: Browser, riverbend: Riverbend) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    sign_in(page, riverbend.url, ALICE, PASSWORD)
    decision(page, riverbend, *[person(number) for number in range(30)])
    for width, height in ((1280, 800), (360, 740)):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("scrollTo(0, 0)")
        seen = [page.get_by_role("heading", level=1), page.locator(".sums"), page.locator("#held")]
        seen.append(page.locator(".jump") if width < 600 else page.get_by_role("button", name="Reject"))
        for each in seen:
            box = each.bounding_box()
            assert box
            assert box["y"] + box["height"] <= height
    context.close()


PLACES = """() => [...document.querySelectorAll("del, ins, bdi")].map(each => each.getBoundingClientRect().left)"""


@pytest.mark.parametrize("names", [("أحمد", "محمد"), ("דוד", "יוסף"), ("Le\u202ee", "Moreno")])
def test_old_value_is_before_the_new_one(page: Page, names: tuple[str, str]) -> None:
    """Letters from right to left, and marks that turn text around, turn nothing else on the page."""
    sheets = (Path(web.__path__[0], "static", "web", name) for name in ("vendor/bootstrap.min.css", "site.css"))
    style = "".join(sheet.read_text(encoding="utf-8") for sheet in sheets)
    old, new = names
    values = render_to_string("web/members/_values.html", {"lines": [("last_name", old, new)]})
    leaver = PlanRow(None, "delete", "7", "", (("position", old, ""), ("status", new, "")), (), "")
    page.set_content(f"<style>{style}</style>{values}<div>{one_line(leaver)}</div>")
    places = page.evaluate(PLACES)
    assert (places[:2], places[2:]) == (sorted(places[:2]), sorted(places[2:]))
    assert len(set(places)) == len(names) * 2
