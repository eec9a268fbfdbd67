"""Checks that everyone can use a page: no axe violation, exactly one h1, nothing wider than the window.

A page looks different in each colour scheme and window width. It is loaded once and then shown in each of its looks.
"""

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from kit.plans import TIMES
from playwright.sync_api import Page

Look = tuple[Literal["light", "dark"], int]
# Neighbours differ in one thing only, so that the browser has little to lay out again.
ALL_LOOKS: tuple[Look, ...] = (("light", 1366), ("light", 320), ("dark", 320), ("dark", 1366))
# The gate tries each scheme and each width: every second page in one look, the rest in the other. The night tries all.
LOOKS = ALL_LOOKS if TIMES > 1 else (ALL_LOOKS[0], ALL_LOOKS[2])
SCREENSHOT_FOLDER = os.environ.get("SIS_SYNC_SCREENSHOT_FOLDER")

AXE_OPTIONS = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    "resultTypes": ["violations"],
}
AXE_SCRIPT = Axe().axe_script
# Only the violations come back: the rest of axe's result is several times the size of the page. Of the rows that differ
# in nothing but their words, axe judges two: long tables would take most of its time.
RUN_AXE = """async (options) => {
  const seen = new Map();
  const left_out = [];
  for (const row of document.querySelectorAll("tbody tr")) {
    const parts = [row, ...row.querySelectorAll("*")].map((each) =>
      [each.tagName, each.className, each.getAttributeNames(), each.textContent.trim() === ""].join());
    const form = [row.closest("table").className, ...parts].join();
    seen.set(form, (seen.get(form) ?? 0) + 1);
    if (seen.get(form) > 2) {
      const place = document.createComment("a row like two others");
      row.replaceWith(place);
      left_out.push([place, row]);
    }
  }
  const { violations } = await axe.run(document, options);
  left_out.forEach(([place, row]) => place.replaceWith(row));
  return violations.map(({ id, nodes }) => ({ id, targets: nodes.map((node) => node.target) }));
}"""
# Colours fade when the scheme changes; axe must not measure the contrast half way. A spinner never finishes.
WAIT_FOR_TRANSITIONS = """async () => {
  const transitions = document.getAnimations().filter((each) => each instanceof CSSTransition);
  await Promise.allSettled(transitions.map((each) => each.finished));
}"""


class Faults:
    """The faults that were found so far, by look."""

    def __init__(self) -> None:
        self.by_look: defaultdict[Look, list[str]] = defaultdict(list)
        self._pages = 0

    def look_at(self, page: Page, name: str) -> None:
        """Show the loaded page in every look, in the gate in one of them, and collect its faults."""
        self._pages += 1
        for look in LOOKS if TIMES > 1 else [LOOKS[self._pages % len(LOOKS)]]:
            show(page, look)
            take_screenshot(page, f"{name}-{look[1]}-{look[0]}")
            self.by_look[look] += faults_of(page, name)


def show(page: Page, look: Look) -> None:
    """Show the loaded page in this colour scheme and window width."""
    scheme, width = look
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 768})
    page.evaluate(WAIT_FOR_TRANSITIONS)


def faults_of(page: Page, name: str) -> list[str]:
    """Return all faults of the page as it is shown now, each after the page's name."""
    faults = violations(page)
    if is_scrolled_sideways(page):
        faults.append("scrolls sideways")
    if page.get_by_role("heading", level=1).count() != 1:
        faults.append("not one h1")
    return [f"{name}: {fault}" for fault in faults]


def violations(page: Page) -> list[str]:
    """Return the axe violations of the page as it is shown now."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return [f"{each['id']}: {json.dumps(each['targets'])}" for each in page.evaluate(RUN_AXE, AXE_OPTIONS)]


def is_scrolled_sideways(page: Page) -> bool:
    """Return True if the page as a whole is wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def take_screenshot(page: Page, name: str) -> None:
    """Store a picture of the whole page in SIS_SYNC_SCREENSHOT_FOLDER. Without that variable do nothing."""
    if SCREENSHOT_FOLDER:
        page.screenshot(path=Path(SCREENSHOT_FOLDER) / f"{name}.png", full_page=True)
