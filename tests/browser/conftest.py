"""The server, the browser and the district that the browser tests share."""

import os
from collections.abc import Iterator

import pytest
from browser.riverbend import ALICE, PASSWORD, Riverbend, set_up
from browser.running import Server, running_browser, running_server, sign_in
from playwright.sync_api import Browser, Page, expect, sync_playwright

expect.set_options(timeout=30_000)  # as long as a page may load; the standard is too short while other tests plan


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium for all browser tests."""
    with sync_playwright() as playwright, running_browser(playwright) as running:
        yield running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Server]:
    """A running server. It depends on the browser so that it does not start without one."""
    with running_server(tmp_path_factory.mktemp("server")) as running:
        # Playwright leaves an event loop in this thread until the session ends. Django would refuse every query of the
        # other tests that this worker runs afterwards.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        yield running


@pytest.fixture(scope="session")
def riverbend(server: Server, browser: Browser) -> Riverbend:
    """The district, set up once through the pages."""
    context = browser.new_context()
    try:
        return set_up(context.new_page(), server)
    finally:
        context.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on which no one is signed in. The test fails if the browser reports an error."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert [text for text in complaints if "Content Security Policy" in text or "rror:" in text] == []


@pytest.fixture
def alice_page(page: Page, riverbend: Riverbend) -> Page:
    """A page signed in as Alice, manager of the district."""
    sign_in(page, riverbend.url, ALICE, PASSWORD)
    return page
