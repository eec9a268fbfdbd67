"""The first sign-in: claim codes, the page that claims an account, generated passwords, and choosing one's own."""

import csv
import io
import re
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from server.conftest import make_account

from sis_sync.core.errors import NotPermitted
from sis_sync.server.accounts import first_sign_in
from sis_sync.server.accounts.first_sign_in import (
    Shown,
    claim_account,
    generate_passwords,
    make_claim_codes,
    people_to_claim,
)
from sis_sync.server.accounts.models import Account, ClaimCode, FilePassword
from sis_sync.server.accounts.services import disable_accounts, password_hash, set_password
from sis_sync.server.audit.models import AccountChange, AuditEntry
from sis_sync.server.errors import TooManySignIns, ValuesRefused
from sis_sync.server.orgs.models import Org, SchoolSystem
from sis_sync.server.web.views import first_sign_in as first_sign_in_views

pytestmark = pytest.mark.django_db
OWN = "quiet-otter-lamp-42"
OTHER = "brisk-heron-door-17"
MONTH = timedelta(days=30)


@pytest.fixture
def pupil(north: Org) -> Account:
    """A pupil at North School without a password."""
    return make_account(north, "Ana", "Ruiz", "0012", user_type="Student", grade="9")


def code_for(account: Account, actor: Account | None, now: datetime) -> str:
    (shown,) = make_claim_codes(accounts=[account], valid_for=MONTH, actor=actor, now=now)
    return shown.secret


def claimed(system: SchoolSystem, name: str, code: str, now: datetime, password: str = OWN) -> Account:
    return claim_account(school_system=system, name=name, code=code, password=password, place="192.0.2.1", now=now)


def refusal(system: SchoolSystem, name: str, code: str, now: datetime) -> str:
    with pytest.raises(ValuesRefused) as refused:
        claimed(system, name, code, now)
    return str(refused.value.errors)


@pytest.mark.both_databases
def test_code_works_once(school_system: SchoolSystem, pupil: Account, bob: Account, now: datetime) -> None:
    code = code_for(pupil, bob, now)
    assert code not in str(ClaimCode.objects.values())
    account = claimed(school_system, " 0012 ", f" {code.lower().replace('-', ' ')} ", now)
    assert account.check_password(OWN)
    assert not ClaimCode.objects.exists()
    assert "do not belong together" in refusal(school_system, "0012", code, now)
    actions = AccountChange.objects.filter(account=pupil).order_by("pk").values_list("action", "actor")
    assert list(actions) == [("claim_code", bob.pk), ("claim", pupil.pk)]
    assert AuditEntry.objects.get(action="claim_codes.made").detail == {"accounts": 1}


def test_one_answer_for_everything_wrong(
    school_system: SchoolSystem, other_system: SchoolSystem, pupil: Account, dana: Account, now: datetime
) -> None:
    code, hers = code_for(pupil, None, now), code_for(dana, None, now)
    wrong = {
        refusal(school_system, "0012", hers, now),
        refusal(school_system, "12", code, now),
        refusal(school_system, "9999", code, now),
        refusal(school_system, "9999", "ABCD-EFGH", now),
        refusal(school_system, "0012", "", now),
        refusal(other_system, "0012", code, now),
        refusal(school_system, "0012", code, now + MONTH),
    }
    disable_accounts(accounts=[dana], actor=None, now=now)
    wrong.add(refusal(school_system, "E-4", hers, now))
    assert len(wrong) == 1
    assert claimed(school_system, "0012", code, now + MONTH - timedelta(seconds=1)) == pupil


def test_wrong_codes_close_an_id_that_exists_like_any_other(
    school_system: SchoolSystem, pupil: Account, now: datetime
) -> None:
    code = code_for(pupil, None, now)
    for name in ("0012", "nobody"):
        for _ in range(10):
            refusal(school_system, name, "BBBB-BBBB", now)
        with pytest.raises(TooManySignIns, match="with this ID is closed for 15 more minutes"):
            claimed(school_system, name, code, now)
    assert claimed(school_system, "0012", code_for(pupil, None, now), now) == pupil  # a new code opens the ID again


def test_an_id_in_other_spaces_gets_no_more_tries(school_system: SchoolSystem, pupil: Account, now: datetime) -> None:
    code = code_for(pupil, None, now)
    for padding in ("", "\u200b", "\u00a0", "\u2060", "\ufeff") * 2:
        refusal(school_system, f"0012{padding}", "BBBB-BBBB", now)
    with pytest.raises(TooManySignIns):
        claimed(school_system, "\u200d0012", code, now)


def test_address_instead_of_id(school_system: SchoolSystem, north: Org, now: datetime) -> None:
    guest = make_account(north, "Gus", "Hall", None)
    assert claimed(school_system, guest.email.upper(), code_for(guest, None, now), now) == guest


def test_weak_password_leaves_the_code(school_system: SchoolSystem, pupil: Account, now: datetime) -> None:
    code = code_for(pupil, None, now)
    for _ in range(12):
        with pytest.raises(ValuesRefused, match="too short"):
            claimed(school_system, "0012", code, now, password="ana")
    assert claimed(school_system, "0012", code, now) == pupil


def test_of_two_who_claim_together_one_gets_in(
    school_system: SchoolSystem, pupil: Account, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, hashed = code_for(pupil, None, now), password_hash

    def slowly(account: Account, password: str | None) -> str:
        monkeypatch.setattr(first_sign_in, "password_hash", hashed)
        claimed(school_system, "0012", code, now, password=OTHER)  # someone is faster
        return hashed(account, password)

    monkeypatch.setattr(first_sign_in, "password_hash", slowly)
    assert "do not belong together" in refusal(school_system, "0012", code, now)
    pupil.refresh_from_db()
    assert pupil.check_password(OTHER)


def test_password_of_a_manager_ends_the_code(school_system: SchoolSystem, pupil: Account, now: datetime) -> None:
    code = code_for(pupil, None, now)
    set_password(account=pupil, password=OTHER, actor=None, now=now)
    refusal(school_system, "0012", code, now)


def test_new_code_replaces_the_old_one(school_system: SchoolSystem, pupil: Account, now: datetime) -> None:
    old, new = code_for(pupil, None, now), code_for(pupil, None, now)
    refusal(school_system, "0012", old, now)
    assert claimed(school_system, "0012", new, now) == pupil


def test_claim_ends_sessions(
    school_system: SchoolSystem, as_alice: Client, alice: Account, pupil: Account, now: datetime
) -> None:
    thief = Client()
    thief.force_login(pupil)
    claimed(school_system, "0012", code_for(pupil, None, now), now)
    assert thief.get("/profile").status_code == 302


@pytest.mark.both_databases
def test_whom_a_list_names(north: Org, south: Org, alice: Account, bob: Account, pupil: Account, now: datetime) -> None:
    make_account(south, "Sue", "South", "3", user_type="Student", grade="1")
    make_account(north, "Dis", "Abled", "4", status="Disabled")
    set_password(account=make_account(north, "Pass", "Word", "5"), password=OWN, actor=None, now=now)
    teacher = make_account(north, "Tea", "Cher", "6")
    assert list(people_to_claim(actor=alice, org=north, now=now)) == [teacher, pupil]  # without Bob, a manager
    assert list(people_to_claim(actor=bob, org=south, now=now)) == []
    tenth = make_account(north, "Zed", "Abel", "7", user_type="Student", grade="10")
    assert list(people_to_claim(actor=alice, org=north, now=now)) == [teacher, pupil, tenth]
    tenth.delete()
    assert list(people_to_claim(actor=alice, org=north, user_type="Student", now=now)) == [pupil]
    code_for(pupil, alice, now)
    assert list(people_to_claim(actor=alice, org=north, grade="9", now=now)) == []
    assert list(people_to_claim(actor=alice, org=north, grade="9", are_all=True, now=now)) == [pupil]
    assert list(people_to_claim(actor=alice, org=north, grade="9", now=now + MONTH)) == [pupil]


def test_password_from_a_file_needs_no_code(north: Org, alice: Account, pupil: Account, now: datetime) -> None:
    FilePassword.objects.create(account=pupil, line=2)
    assert list(people_to_claim(actor=alice, org=north, now=now)) == []


def test_manager_of_a_school_gets_no_greater_codes(bob: Account, alice: Account, south: Org, now: datetime) -> None:
    stranger = make_account(south, "Sue", "South", "3")
    for account in (alice, stranger):
        with pytest.raises(NotPermitted):
            make_claim_codes(accounts=[account], valid_for=MONTH, actor=bob, now=now)
        with pytest.raises(NotPermitted):
            generate_passwords(accounts=[account], must_change=True, actor=bob, now=now)
    assert not ClaimCode.objects.exists()


def test_list_has_a_limit(pupil: Account, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_sign_in, "MOST_CODES", 0)
    with pytest.raises(ValuesRefused, match="at most 0"):
        code_for(pupil, None, now)


def test_page_of_sheets_has_a_limit_and_a_file_has_not(
    as_bob: Client, north: Org, pupil: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is shown once, so it cannot be in parts."""
    monkeypatch.setattr(first_sign_in_views, "MOST_SHEETS", 0)
    refused = as_bob.post("/members/codes", codes_form(north)).content.decode()
    assert "1 people; a page has at most 0 sheets" in refused
    ticked = {"action": "codes", "account": str(pupil.pk), "confirmed": "yes"}
    assert "1 people; a page has at most 0 sheets" in as_bob.post("/members/act", ticked).content.decode()
    assert not ClaimCode.objects.exists()
    assert pupil.email in as_bob.post("/members/codes", codes_form(north, **{"as": "csv"})).content.decode()


def test_codes_are_no_words_and_differ() -> None:
    codes = {first_sign_in.random_text(2) for _ in range(200)}
    assert len(codes) == 200
    assert all(re.fullmatch(r"[B-DF-HJ-NP-TV-Z2-9]{4}-[B-DF-HJ-NP-TV-Z2-9]{4}", code) for code in codes)


def codes_form(north: Org, **values: str) -> dict[str, str]:
    return {"org": str(north.pk), "days": "30", "form_id": "f1", "as": "sheets", **values}


def test_sheets_are_shown_once(as_bob: Client, north: Org, pupil: Account) -> None:
    page = as_bob.post("/members/codes", codes_form(north)).content.decode()
    code = re.search(r"Code: <b class=\"secret\">(.{9})<", page)
    assert code is not None
    assert "Ruiz, Ana" in page
    assert "http://testserver/claim<" in page
    again = as_bob.post("/members/codes", codes_form(north)).content.decode()
    assert "was shown already" in again
    assert code[1] not in again
    nobody = as_bob.post("/members/codes", codes_form(north, form_id="f2")).content.decode()
    assert "No one here needs a code" in nobody
    answer = Client().post("/claim", {"name": "0012", "code": code[1], "password": OWN}, follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain[-1][0] == "/profile"
    assert "sign in with ana.ruiz@riverbend.example" in page


def test_codes_as_csv(as_alice: Client, north: Org) -> None:
    make_account(north, "=Eve", "Frost", "7", user_type="Student", grade="2")
    answer = as_alice.post("/members/codes", codes_form(north, **{"as": "csv"}))
    assert "attachment" in answer.headers["Content-Disposition"]
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["first_name"], row["last_name"], row["id"], row["grade"]) == ("'=Eve", "Frost", "7", "2")
    assert ClaimCode.objects.count() == 1


def test_list_of_another_school_is_not_there(as_bob: Client, south: Org, north: Org) -> None:
    assert "There is a problem" in as_bob.post("/members/codes", codes_form(south)).content.decode()


def test_codes_for_ticked_people(as_bob: Client, dana: Account, school_system: SchoolSystem) -> None:
    set_password(account=dana, password=OTHER, actor=None, now=timezone.now())
    asked = as_bob.post("/members/act", {"action": "codes", "account": dana.pk}).content.decode()
    assert "Make claim codes for 1 person?" in asked
    assert not ClaimCode.objects.exists()
    confirmed = {"action": "codes", "account": dana.pk, "confirmed": "yes"}
    page = as_bob.post("/members/act", confirmed).content.decode()
    assert ClaimCode.objects.get().account == dana
    assert "E-4" in page
    dana.refresh_from_db()
    assert dana.check_password(OTHER)  # until she claims


def test_claim_page_names_no_one(client: Client, pupil: Account) -> None:
    pages = [
        client.post("/claim/riverbend", {"name": name, "code": "BBBB-BBBB", "password": OWN}).content.decode()
        for name in ("0012", "4711")
    ]
    strip = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"|value="(0012|4711)"')
    assert strip.sub("", pages[0]) == strip.sub("", pages[1])
    assert "There is a problem" in pages[0]
    assert OWN not in pages[0]
    assert client.get("/claim/nowhere").status_code == 404


def test_claim_asks_which_school_system(
    client: Client, school_system: SchoolSystem, other_system: SchoolSystem
) -> None:
    assert "Which school system?" in client.get("/claim").content.decode()
    assert client.post("/claim", {"slug": "riverbend"}).headers["Location"] == "/claim/riverbend"


@pytest.mark.both_databases
def test_generated_passwords(as_bob: Client, dana: Account, pupil: Account, school_system: SchoolSystem) -> None:
    two = {"action": "password", "account": [dana.pk, pupil.pk]}
    asked = as_bob.post("/members/act", two).content.decode()
    assert "Generate 2 passwords" in asked
    page = as_bob.post("/members/act", {**two, "confirmed": "yes", "how": "generated", "must_change": "on"})
    found = re.findall(r"Password: <b class=\"secret\">(.{14})<", page.content.decode())
    assert len(set(found)) == 2
    for account, password in zip((dana, pupil), found, strict=True):
        account.refresh_from_db()
        assert account.check_password(password)
        assert account.must_change_password
    assert AuditEntry.objects.get(action="passwords.generated").detail == {"accounts": 2}


def test_no_password_for_too_many(bob: Account, dana: Account, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_sign_in, "MOST_PASSWORDS", 0)
    with pytest.raises(ValuesRefused, match="make claim codes"):
        generate_passwords(accounts=[dana], must_change=True, actor=bob, now=now)


def given_password(account: Account, now: datetime) -> Shown:
    (shown,) = generate_passwords(accounts=[account], must_change=True, actor=None, now=now)
    return shown


def test_given_password_must_be_changed(client: Client, bob: Account, now: datetime) -> None:
    given = given_password(bob, now).secret
    answer = client.post("/sign-in", {"email": bob.email, "password": given, "next": "/members"})
    assert answer.headers["Location"] == "/members"
    for address in ("/members", "/", "/profile", "/bulk"):
        assert client.get(address).headers["Location"] == f"/password?next={address}"
    assert client.post("/members/act", {"action": "delete"}).status_code == 302
    assert client.get("/members", headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    same = client.post("/password", {"password": given}).content.decode()
    assert "the password that you were given" in same
    assert "too short" in client.post("/password", {"password": "bob"}).content.decode()
    done = client.post("/password", {"password": OWN, "next": "/members"})
    assert (done.status_code, done.headers["Location"]) == (303, "/members")
    assert client.get("/members").status_code == 200
    bob.refresh_from_db()
    assert bob.check_password(OWN)


def test_password_typed_by_a_manager(as_alice: Client, client: Client, dana: Account) -> None:
    values = {"action": "password", "account": dana.pk, "confirmed": "yes", "password": OTHER, "must_change": "on"}
    as_alice.post("/members/act", values)
    dana.refresh_from_db()
    assert dana.must_change_password
    as_alice.post("/members/act", {name: value for name, value in values.items() if name != "must_change"})
    dana.refresh_from_db()
    assert not dana.must_change_password


def test_generated_password_ends_sessions(client: Client, dana: Account, now: datetime) -> None:
    client.force_login(dana)
    given_password(dana, now)
    assert client.get("/profile").status_code == 302
