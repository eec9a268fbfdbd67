"""Signing in, and how sessions end."""

from contextlib import suppress
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from unittest.mock import patch

import pytest
from django.conf import settings as settings_of_server
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import check_password, make_password
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from sis_sync.server import windows
from sis_sync.server.accounts import hashing, sign_in_limits
from sis_sync.server.accounts.hashing import turn_to_hash
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.services import delete_accounts, disable_accounts, enable_accounts, set_password
from sis_sync.server.accounts.sign_in import school_system_at
from sis_sync.server.audit.models import AuditEntry
from sis_sync.server.errors import NotNow, TooManySignIns
from sis_sync.server.orgs.models import SchoolSystem

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases_at_night]

PASSWORD = "correct horse battery"


@pytest.fixture
def dana_with_password(dana: Account, now: datetime) -> Account:
    return set_password(account=dana, password=PASSWORD, actor=None, now=now)


def sign_in(
    system: SchoolSystem | None,
    now: datetime,
    *,
    email: str = "DANA.dubois@riverbend.example",
    password: str = PASSWORD,
    address: str = "127.0.0.1",
) -> object:
    request = RequestFactory().post("/sign-in", REMOTE_ADDR=address)
    return authenticate(request, school_system=system, email=email, password=password, now=now)


@pytest.mark.both_databases
def test_address_without_case_and_password(
    school_system: SchoolSystem, other_system: SchoolSystem, dana_with_password: Account, now: datetime
) -> None:
    assert sign_in(school_system, now) == dana_with_password
    pasted = "\u202a dana.dubois@riverbend.example\u202c"  # with the marks of direction of another program
    assert sign_in(school_system, now, email=pasted) == dana_with_password
    assert sign_in(school_system, now, password="Correct horse battery") is None
    assert sign_in(school_system, now, email="nobody@riverbend.example") is None
    assert sign_in(school_system, now, email="dana\x00") is None
    assert sign_in(other_system, now) is None
    assert {entry.actor for entry in AuditEntry.objects.filter(action="signed_in")} == {dana_with_password}


def test_bare_address_with_one_system(school_system: SchoolSystem, dana_with_password: Account, now: datetime) -> None:
    assert sign_in(None, now) == dana_with_password
    assert school_system_at("") == school_system


def test_bare_address_with_several_systems(
    school_system: SchoolSystem, other_system: SchoolSystem, dana_with_password: Account, now: datetime
) -> None:
    assert sign_in(None, now) is None
    assert school_system_at("") is None
    assert school_system_at("lakeside") == other_system


def test_account_without_password_stays_closed(school_system: SchoolSystem, dana: Account, now: datetime) -> None:
    assert sign_in(school_system, now, password="") is None
    assert sign_in(school_system, now, password=dana.password) is None


@pytest.mark.parametrize("end", [disable_accounts, delete_accounts])
def test_disabled_and_deleted_stay_out(
    school_system: SchoolSystem, dana_with_password: Account, now: datetime, end: object
) -> None:
    assert callable(end)
    end(accounts=[dana_with_password], actor=None, now=now)
    assert sign_in(school_system, now) is None


def user_of(client: Client) -> object:
    """Return the person that the server sees in this browser, from a page that needs no sign-in."""
    from django.contrib.auth import get_user

    request = RequestFactory().get("/")
    request.session = client.session
    return get_user(request)


@pytest.mark.both_databases
@pytest.mark.parametrize("end", [disable_accounts, delete_accounts])
def test_disabling_and_deleting_end_sessions(client: Client, dana: Account, now: datetime, end: object) -> None:
    assert callable(end)
    client.force_login(dana)
    assert user_of(client) == dana
    end(accounts=[dana], actor=None, now=now)
    assert not getattr(user_of(client), "is_authenticated", True)


@pytest.mark.both_databases
def test_ended_session_stays_ended(client: Client, dana: Account, now: datetime) -> None:
    client.force_login(dana)
    disable_accounts(accounts=[dana], actor=None, now=now)
    enable_accounts(accounts=[dana], actor=None, now=now)
    assert not getattr(user_of(client), "is_authenticated", True)


def test_new_password_ends_sessions(client: Client, dana: Account, now: datetime) -> None:
    client.force_login(dana)
    set_password(account=dana, password=PASSWORD, actor=None, now=now)
    assert not getattr(user_of(client), "is_authenticated", True)


class Clock:
    """The clock of the limits, which tests turn on."""

    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(windows, "monotonic_seconds", clock)
    return clock


@pytest.mark.both_databases
def test_ten_wrong_passwords_close_the_address(
    school_system: SchoolSystem, dana_with_password: Account, now: datetime, clock: Clock
) -> None:
    for number in range(10):
        email = "\u200e" * number + "DANA.dubois@riverbend.example"
        assert sign_in(school_system, now, email=email, password="wrong", address=f"192.0.2.{number}") is None
    clock.seconds += 10
    with pytest.raises(TooManySignIns, match="closed for 15 more minutes") as refused:
        sign_in(school_system, now, address="198.51.100.1")
    assert refused.value.retry_after_seconds == 890
    clock.seconds += 891
    assert sign_in(school_system, now) == dana_with_password


def test_address_without_account_closes_alike(school_system: SchoolSystem, dana: Account, now: datetime) -> None:
    for _ in range(10):
        assert sign_in(school_system, now, email="Nobody@riverbend.example") is None
    with pytest.raises(TooManySignIns):
        sign_in(school_system, now, email="nobody@riverbend.example ")


def test_a_wrong_clock_of_the_machine_closes_nothing(
    school_system: SchoolSystem, dana_with_password: Account, now: datetime, clock: Clock
) -> None:
    for _ in range(10):
        sign_in(school_system, now + timedelta(days=2), password="wrong")
    clock.seconds += 15 * 60
    assert sign_in(school_system, now) == dana_with_password


@pytest.mark.both_databases
def test_tries_at_once_get_no_more_looks(
    school_system: SchoolSystem, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    tries: list[object] = []
    waits: list[int] = []

    def look(_account: object, password: str) -> bool:
        looks.append(password)
        if len(looks) < 30:  # the next try begins while this one is looked at
            try:
                tries.append(sign_in(school_system, now, password="wrong"))
            except TooManySignIns as error:
                waits.append(error.retry_after_seconds)
        return False

    monkeypatch.setattr("sis_sync.server.accounts.sign_in.has_password", look)
    sign_in(school_system, now, password="wrong")
    assert len(looks) == 10
    assert set(waits) == {5}, "while they are looked at, they may still be right"


def test_right_password_ends_the_count(school_system: SchoolSystem, dana_with_password: Account, now: datetime) -> None:
    for _ in range(2):
        for _ in range(9):
            assert sign_in(school_system, now, password="wrong") is None
        assert sign_in(school_system, now) == dana_with_password


def test_new_password_by_a_manager_ends_the_lock_out(
    school_system: SchoolSystem, dana_with_password: Account, now: datetime
) -> None:
    for _ in range(11):
        with suppress(TooManySignIns):
            sign_in(school_system, now, password="wrong")
    set_password(account=dana_with_password, password="other horse battery", actor=None, now=now)
    assert sign_in(school_system, now, password="other horse battery") == dana_with_password


def spray(system: SchoolSystem, now: datetime, number: int, address: str) -> list[float]:
    """Try as many addresses from one place. Return the pauses that the tries made."""
    pauses: list[float] = []
    with patch.object(sign_in_limits, "pause", pauses.append):
        for each in range(number):
            assert sign_in(system, now, email=f"p{each}@riverbend.example", address=address) is None
    return pauses


def test_wrong_passwords_of_a_place_slow_and_never_close(
    school_system: SchoolSystem, dana_with_password: Account, now: datetime
) -> None:
    assert spray(school_system, now, 20, "2001:db8::1") == []
    assert spray(school_system, now, 5, "2001:db8::2") == [2.0] * 5  # the same network
    assert sign_in(school_system, now, address="2001:db8::1") == dana_with_password
    assert spray(school_system, now, 1, "2001:db8:0:1::1") == []


def test_right_passwords_of_a_place_do_not_count(
    school_system: SchoolSystem, dana_with_password: Account, now: datetime
) -> None:
    for _ in range(25):
        assert sign_in(school_system, now) == dana_with_password
    assert spray(school_system, now, 20, "127.0.0.1") == []


def test_few_slowed_tries_wait_at_once(
    school_system: SchoolSystem, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    spray(school_system, now, 20, "192.0.2.1")
    pauses: list[float] = []
    refused: list[int] = []

    def others_try(seconds: float) -> None:
        pauses.append(seconds)
        try:
            sign_in(school_system, now, email=f"{len(refused)}@riverbend.example", address="192.0.2.1")
        except TooManySignIns as error:
            refused.append(error.retry_after_seconds)

    monkeypatch.setattr(sign_in_limits, "pause", others_try)
    sign_in(school_system, now, address="192.0.2.1")
    assert (refused, pauses) == ([2], [2.0, 2.0])


def test_networks_of_the_schools_have_wider_limits(
    school_system: SchoolSystem, dana_with_password: Account, now: datetime, settings: Settings
) -> None:
    school_system.networks = ["192.0.2.0/24"]
    settings.SIS_SYNC_WRONG_PASSWORDS_OF_A_PLACE = settings.SIS_SYNC_WRONG_PASSWORDS_IN_ALL = 1
    assert spray(school_system, now, 30, "192.0.2.7") == []
    assert spray(school_system, now, 1, "192.0.2.7") == [2.0]
    for number in range(11):
        with suppress(TooManySignIns):
            sign_in(school_system, now, password="wrong", address=f"198.51.100.{number}")
    assert sign_in(school_system, now, address="192.0.2.8") == dana_with_password  # closed from outside only


def test_wrong_passwords_in_all_slow_everyone_outside(school_system: SchoolSystem, now: datetime) -> None:
    with patch.object(settings_of_server, "SIS_SYNC_WRONG_PASSWORDS_IN_ALL", 3):
        for number in range(3):
            assert spray(school_system, now, 1, f"192.0.2.{number}") == []
        assert spray(school_system, now, 1, "192.0.2.99") == [2.0]


def test_one_place_slows_no_other(school_system: SchoolSystem, now: datetime, settings: Settings) -> None:
    settings.SIS_SYNC_WRONG_PASSWORDS_OF_A_PLACE, settings.SIS_SYNC_WRONG_PASSWORDS_IN_ALL = 2, 3
    spray(school_system, now, 9, "192.0.2.1")
    assert spray(school_system, now, 1, "198.51.100.1") == []
    assert spray(school_system, now, 1, "198.51.100.2") == [2.0]  # now three wrong ones came from two places


def test_slowed_places_wait_apart(
    school_system: SchoolSystem, now: datetime, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SIS_SYNC_WRONG_PASSWORDS_OF_A_PLACE, settings.SIS_SYNC_WRONG_PASSWORDS_IN_ALL = 1, 5
    attackers = [f"192.0.2.{number}" for number in range(5)]
    for place in attackers:
        spray(school_system, now, 1, place)
    honest = [f"198.51.100.{number}" for number in range(5)]
    to_come, refused = [*attackers, *attackers, *honest], dict[str, str]()

    def others_try(_seconds: float) -> None:
        while to_come:
            place = to_come.pop(0)
            try:
                sign_in(school_system, now, email=f"{len(to_come)}@riverbend.example", address=place)
            except TooManySignIns as error:
                refused[place] = error.message

    monkeypatch.setattr(sign_in_limits, "pause", others_try)
    sign_in(school_system, now, address=attackers[0])
    assert set(refused) == {*attackers, honest[-1]}
    assert "from your network" in refused[attackers[1]]
    assert "from many networks" in refused[honest[-1]]


def test_two_passwords_are_hashed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "LONGEST_WAIT_SECONDS", 0.01)
    with turn_to_hash(), turn_to_hash(), pytest.raises(NotNow) as busy:
        check_password(PASSWORD, make_password(PASSWORD))
    assert busy.value.http_status == 503
    assert check_password(PASSWORD, make_password(PASSWORD))


def test_class_waits_for_a_place_to_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    class Queue(BoundedSemaphore):
        """A queue in which somebody is done as soon as another one waits."""

        def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
            if timeout:
                self.release()
            return super().acquire(blocking, timeout)

    monkeypatch.setattr(hashing, "_admitted", Queue(1))
    monkeypatch.setattr(hashing, "_place_waits", windows.Window(seconds=60))
    for _ in range(hashing.PLACE_WAITS_A_MINUTE):
        hashing._admitted.acquire()
        with turn_to_hash():
            pass
    hashing._admitted.acquire()
    with pytest.raises(NotNow), turn_to_hash():
        pytest.fail("in a flood it is refused at once")


def test_page_says_when_to_try_again(client: Client, school_system: SchoolSystem, dana_with_password: Account) -> None:
    wrong = {"email": dana_with_password.email, "password": "wrong"}
    answers = [client.post("/sign-in", wrong) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert 890 < int(answers[-1].headers["Retry-After"]) <= 900
    assert "Too many wrong passwords" in answers[-1].content.decode()
    assert dana_with_password.email in answers[-1].content.decode()


def test_present_password_of_the_profile_counts(client: Client, dana_with_password: Account) -> None:
    client.force_login(dana_with_password)
    form = {"present": "wrong", "password": "brisk-heron-door-17"}
    answers = [client.post("/profile", form) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert client.post("/sign-in", {"email": dana_with_password.email, "password": PASSWORD}).status_code == 429
