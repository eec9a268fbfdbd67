"""Every page is asked by all four people, and by nobody."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from kit.rosters import needs_approval, student, sync

from sis_sync.server.accounts.models import Account
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.orgs.models import Org
from sis_sync.server.web.urls import urlpatterns

# Page -> what Alice, Bob, Charlie and Dana get. Things of the district that Bob does not manage are not there for him.
EVERYBODY = (200, 200, 200, 200)
MANAGERS = (200, 200, 200, 403)
DISTRICT_MANAGERS = (200, 403, 200, 403)
OF_BOBS_SCHOOL = (200, 200, 404, 403)
OF_THE_DISTRICT = (200, 404, 404, 403)
PAGES: dict[str, tuple[str, tuple[int, int, int, int]]] = {
    "home": ("get", (200, 200, 200, 303)),
    "profile": ("get", EVERYBODY),
    "new_password": ("get", (303, 303, 303, 303)),
    "settings": ("get", MANAGERS),
    "org_create": ("get", DISTRICT_MANAGERS),
    "orgs_import": ("get", DISTRICT_MANAGERS),
    "networks": ("get", DISTRICT_MANAGERS),
    "own_names": ("get", DISTRICT_MANAGERS),
    "retention": ("get", DISTRICT_MANAGERS),
    "org_edit": ("get", OF_THE_DISTRICT),
    "user_admin": ("get", MANAGERS),
    "user_search": ("post", (303, 303, 303, 403)),
    "people_act": ("post", (303, 303, 303, 403)),
    "claim_codes": ("get", MANAGERS),
    "account_create": ("get", MANAGERS),
    "account_history": ("get", OF_BOBS_SCHOOL),
    "account_edit": ("get", OF_BOBS_SCHOOL),
    "two_people_of_account": ("post", (303, 303, 404, 403)),
    "names_of_sis": ("post", (303, 303, 404, 403)),
    "account_rights": ("post", (303, 403, 404, 403)),
    "bulk_upload": ("get", MANAGERS),
    "pending": ("get", MANAGERS),
    "history": ("get", MANAGERS),
    "district_runs": ("get", (303, 200, 303, 403)),
    "mappings": ("get", MANAGERS),
    "sync_settings": ("get", MANAGERS),
    "mode_settings": ("get", DISTRICT_MANAGERS),
    "one_person": ("post", (303, 403, 303, 403)),
    "sync_client": ("get", MANAGERS),
    "switch_client_api": ("post", (303, 403, 303, 403)),
    "create_api_key": ("get", MANAGERS),
    "new_api_key": ("get", (303, 303, 303, 403)),
    "rotate_api_key": ("get", OF_THE_DISTRICT),
    "limit_api_key": ("get", OF_THE_DISTRICT),
    "revoke_api_key": ("get", OF_THE_DISTRICT),
    "run": ("get", (200, 303, 404, 403)),
    "school_of_run": ("get", (303, 200, 404, 403)),
    "run_progress": ("get", OF_THE_DISTRICT),
    "approve": ("get", OF_THE_DISTRICT),
    "creates_and_updates": ("post", (303, 404, 404, 403)),
    "two_people_of_run": ("post", (303, 404, 404, 403)),
    "reject": ("get", OF_THE_DISTRICT),
    "cancel": ("get", OF_THE_DISTRICT),
    "undo": ("get", OF_THE_DISTRICT),
    "correct": ("get", OF_THE_DISTRICT),
    "run_results": ("get", OF_THE_DISTRICT),
    "run_failed": ("get", OF_THE_DISTRICT),
    "help_approving": ("get", MANAGERS),
    "audit_log": ("get", DISTRICT_MANAGERS),
}
OPEN_TO_ALL = {"setup", "sign_in", "sign_in_at", "claim", "claim_at", "sign_out", "stay"}


@pytest.fixture
def places(
    alice: Account, bob: Account, charlie: Account, dana: Account, district: Org, district_key: str, now: datetime
) -> dict[str, dict[str, Any]]:
    """What the addresses of the pages name: a run and a key of the district, an account at Bob's school."""
    needs_approval(district, "partial")
    run = sync(district, student("S1"), student("S2", email="nonsense"), now=now)
    key = ApiKey.objects.get(org=district)
    account, of_run, of_key = {"account_id": dana.pk}, {"run_id": run.pk}, {"key_id": key.pk}
    return {
        "org_edit": {"org_id": district.pk},
        "mode_settings": {"mode": "full"},
        "one_person": {"mode": "full"},
        **dict.fromkeys(
            ("account_history", "account_edit", "two_people_of_account", "names_of_sis", "account_rights"), account
        ),
        **dict.fromkeys(
            (
                "run",
                "school_of_run",
                "run_progress",
                "approve",
                "creates_and_updates",
                "two_people_of_run",
                "reject",
                "cancel",
                "undo",
                "correct",
            ),
            of_run,
        ),
        **dict.fromkeys(("run_results", "run_failed"), of_run),
        **dict.fromkeys(("rotate_api_key", "limit_api_key", "revoke_api_key"), of_key),
    }


def each_page(*methods: str) -> Iterator[str]:
    """Yield the name of each page asked with one of the methods. What a page changes is undone before the next."""
    for name, (method, _) in PAGES.items():
        if method in methods:
            with transaction.atomic():
                yield name
                transaction.set_rollback(True)


def ask(client: Client, name: str, places: dict[str, dict[str, Any]], district: Org) -> int:
    """The status of the page."""
    address = reverse(f"web:{name}", kwargs=places.get(name))
    method = PAGES[name][0]
    return (
        client.get(address).status_code if method == "get" else client.post(address, {"org": district.pk}).status_code
    )


def test_every_page_is_tabled() -> None:
    assert {pattern.name for pattern in urlpatterns} == set(PAGES) | OPEN_TO_ALL


def test_four_people_ask(
    client: Client,
    places: dict[str, dict[str, Any]],
    district: Org,
    alice: Account,
    bob: Account,
    charlie: Account,
    dana: Account,
) -> None:
    found: dict[str, list[int]] = {}
    for name in each_page("get", "post"):
        for person in (alice, bob, charlie, dana):
            client.force_login(person)
            found.setdefault(name, []).append(ask(client, name, places, district))
    assert {name: tuple(got) for name, got in found.items()} == {name: wanted for name, (_, wanted) in PAGES.items()}


def test_opened_pages_show_no_fault(client: Client, places: dict[str, dict[str, Any]], alice: Account) -> None:
    for name in each_page("get"):
        client.force_login(alice)
        response = client.get(reverse(f"web:{name}", kwargs=places.get(name)))
        if not response.streaming:
            page = response.content.decode()
            assert "There is a problem" not in page, name
            assert "Error:" not in page, name


def test_anonymous_is_sent_to_sign_in(client: Client, places: dict[str, dict[str, Any]]) -> None:
    for name in each_page("get", "post"):
        address = reverse(f"web:{name}", kwargs=places.get(name))
        response = client.generic(PAGES[name][0].upper(), address)
        assert response.status_code == 302, name
        assert response.headers["Location"] == f"/sign-in?next={address}"


def test_foreign_id_equals_absent_id(client: Client, places: dict[str, dict[str, Any]], charlie: Account) -> None:
    named = [name for name in PAGES if PAGES[name][1] in (OF_THE_DISTRICT, OF_BOBS_SCHOOL)]
    assert len(named) >= 12
    client.force_login(charlie)
    for name in named:
        kind = next(iter(places[name]))
        foreign = client.get(reverse(f"web:{name}", kwargs=places[name]))
        absent = client.get(reverse(f"web:{name}", kwargs={kind: 999_999_999}))
        beyond = client.get(reverse(f"web:{name}", kwargs={kind: 10**30}))
        assert foreign.status_code == absent.status_code == beyond.status_code == 404, name
        assert foreign.content == absent.content == beyond.content, name


def test_disabled_person_is_signed_out(client: Client, alice: Account) -> None:
    client.force_login(alice)
    Account.objects.filter(pk=alice.pk).update(status="Disabled")
    assert client.get("/members").status_code == 302


def test_teacher_sees_only_her_profile(client: Client, dana: Account) -> None:
    client.force_login(dana)
    page = client.get("/profile").content.decode()
    assert "Dana Dubois" in page
    assert "Bulk Management" not in page
    assert "User Admin" not in page


def test_refusal_says_whom_to_ask(client: Client, dana: Account) -> None:
    client.force_login(dana)
    response = client.get("/members")
    assert response.status_code == 403
    assert "Ask a manager of the district." in response.content.decode()
