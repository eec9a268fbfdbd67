"""Start a real server in its own process, and a real browser."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright

SETUP_LINK = re.compile(r"http://\S+/setup/\S+")


@dataclass(frozen=True)
class Server:
    """The address of a running server, and the one-time setup link that it printed."""

    url: str
    setup_link: str


def free_port() -> int:
    """Return a port that no process listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_server(folder: Path) -> Iterator[Server]:
    """Run `sis-sync serve`, web and worker, on a fresh SQLite database in `folder`."""
    port = free_port()
    environment = {**os.environ, "SIS_SYNC_DATA_FOLDER": str(folder), "SIS_SYNC_DATABASE_URL": ""}
    command = [str(Path(sys.executable).with_name("sis-sync")), "serve", "--port", str(port)]
    log = (folder / "serve.log").open("wb")
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        link = printed_link(process)
        wait_until_it_answers(port, process)
        yield Server(f"http://127.0.0.1:{port}", link)
    finally:
        process.terminate()
        process.wait()
        if process.stdout:
            process.stdout.close()
        log.close()


def printed_link(process: "subprocess.Popen[str]") -> str:
    """Return the setup link that the server prints."""
    assert process.stdout
    for line in process.stdout:
        if link := SETUP_LINK.search(line):
            return link[0]
    raise AssertionError("the server ended without printing a setup link")


def wait_until_it_answers(port: int, process: "subprocess.Popen[str]") -> None:
    """Return once the server listens on the port. It prints the link a moment before."""
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"the server ended with code {process.returncode}")


def chromium_path() -> str:
    """Return the path of the system's Chromium. Without one skip the test, or fail it if CI=true."""
    path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    if not Path(path).exists():
        missing = f"there is no Chromium at {path} (set CHROMIUM)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return path


@contextmanager
def running_browser(playwright: Playwright) -> Iterator[Browser]:
    """Run a headless Chromium."""
    browser = playwright.chromium.launch(
        executable_path=chromium_path(), args=["--no-sandbox", "--disable-dev-shm-usage"]
    )
    try:
        yield browser
    finally:
        browser.close()


def sign_in(page: Page, url: str, email: str, password: str) -> None:
    """Sign in through the page."""
    page.goto(f"{url}/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: "/sign-in" not in address)
