"""The demo's manager, who signs in and approves through the web pages, as a person would in a browser."""

import re
import time
from collections.abc import Callable
from typing import Any

import httpx

from sis_sync.core.errors import GaveUpWaiting, SisSyncError
from sis_sync.core.run_states import MOVING

_HIDDEN = re.compile(r'name="(csrfmiddlewaretoken|digest)" value="([^"]*)"')
POLL_SECONDS = 0.2
WAIT_SECONDS = 120


class DemoManager:
    """A person who uses the server only over HTTP. `api_key` must have the scope `read`."""

    def __init__(self, url: str, api_key: str) -> None:
        self.pages = httpx.Client(base_url=url, follow_redirects=True, timeout=30)
        self._api = httpx.Client(base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {api_key}"}, timeout=30)

    def __enter__(self) -> "DemoManager":
        return self

    def __exit__(self, *_: object) -> None:
        self.pages.close()
        self._api.close()

    def wait_for_server(self) -> None:
        """Wait until the server answers. Raise GaveUpWaiting after WAIT_SECONDS."""
        self._until("The server", self._answers)

    def _answers(self) -> bool:
        try:
            return self._api.get("/ping").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def sign_in(self, email: str, password: str) -> None:
        """Fill in and submit the sign-in page."""
        page = self.pages.get("/")
        answer = self._submit(page, {"email": email, "password": password})
        if str(answer.url) == str(page.url):
            raise SisSyncError("The manager of the demo could not sign in.")

    def wait_for_decision(self, run_id: int) -> dict[str, Any]:
        """Wait until the run needs a decision or has ended, then return it."""
        self._until(f"Run {run_id}", lambda: self.run(run_id)["state"] not in MOVING)
        return self.run(run_id)

    def newest_run(self) -> dict[str, Any] | None:
        """Return the run of the latest file, or None if no file has arrived."""
        answer = self._api.get("/runs").raise_for_status().json()
        runs: list[dict[str, Any]] = answer["runs"] if isinstance(answer, dict) else answer
        return max(runs, key=lambda run: int(run["id"]), default=None)

    def run(self, run_id: int) -> dict[str, Any]:
        """Return the API's JSON object for a run."""
        document: dict[str, Any] = self._api.get(f"/runs/{run_id}").raise_for_status().json()
        return document

    def approve(self, run: dict[str, Any]) -> None:
        """Open the page of the plan, type the number of people who leave and a reason, and approve it."""
        leaving = run["counts"]["delete"] + run["counts"]["disable"]
        page = self.pages.get(f"/runs/{run['id']}/approve")
        self._submit(page, {"typed": str(leaving), "reason": "Checked against the list of the school office."})

    def _until(self, subject: str, is_done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not is_done():
            if time.monotonic() > deadline:
                raise GaveUpWaiting(f"{subject} took longer than {WAIT_SECONDS} seconds.")
            time.sleep(POLL_SECONDS)

    def _submit(self, page: httpx.Response, fields: dict[str, str]) -> httpx.Response:
        page.raise_for_status()
        hidden = dict(_HIDDEN.findall(page.text))
        return self.pages.post(page.url, data={**hidden, **fields}, headers={"Referer": str(page.url)})
