"""A made-up district, which the tests set up in a fresh server through its own pages."""

import csv
import io
from dataclasses import dataclass

from browser.looks import faults_of
from browser.running import Server, sign_in
from playwright.sync_api import Page

from sis_sync.core.fields import FIELD_NAMES

PASSWORD = "quiet-otter-lamp-42"
ALICE, BOB, DANA = "alice@riverbend.example", "bob@riverbend.example", "dana@riverbend.example"
SCHOOLS = "external_id,name,kind\nN1,North School,school\nS1,South School,school\n"
FIRST_NAMES = ("Ana", "Björn", "Chloé", "Đạt", "Efua", "Farid", "Grace", "Hiroko", "Ines", "José")
LAST_NAMES = ("Abara", "Brandt", "Castillo-Núñez", "Dubois", "Evans", "Ferrari", "García", "O'Hara", "Nguyễn")


@dataclass(frozen=True)
class Riverbend:
    """The addresses of pages of the district that tests look at."""

    url: str
    applied_run: str
    held_run: str
    refused_run: str
    bob_page: str


def person(number: int, *, user_type: str = "Student", **values: str) -> dict[str, str]:
    """Return the row of the person with this number."""
    is_student = user_type == "Student"
    first, last = FIRST_NAMES[number % len(FIRST_NAMES)], LAST_NAMES[number % len(LAST_NAMES)]
    row = {
        "first_name": first,
        "middle_name": "",
        "last_name": last,
        "email": f"p{number}@riverbend.example",
        "custom_id": f"{'S' if is_student else 'E'}{number:05}",
        "school_district_external_id": "N1" if number % 2 else "S1",
        "user_type": user_type,
        "position": "" if is_student else "Mathematics",
        "grade": str(1 + number % 12) if is_student else "",
        "status": "Active",
    }
    return {**row, **values}


def csv_of(*rows: dict[str, str]) -> bytes:
    """Return the rows as a CSV file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELD_NAMES)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def set_up(page: Page, server: Server) -> Riverbend:
    """Claim the server, add schools and people, and leave an applied, a held and a refused run."""
    claim(page, server)
    import_schools(page, server)
    students, staff = [person(number) for number in range(60)], [person(70 + n, user_type="Teacher") for n in range(8)]
    broken = person(99, email="not an address")
    applied_run = upload(page, server.url, "Partial", csv_of(*students, *staff, broken), "day-1.csv")
    wait_for_state(page, "Applied")
    changed = [{**row, "last_name": "Okafor"} for row in students[:3]]
    held_run = upload(page, server.url, "Student Only", csv_of(*changed, *students[3:40]), "students.csv")
    wait_for_state(page, "On hold")
    refused_run = upload(page, server.url, "Full", b"name;school\nAna;N1\n", "wrong export.csv")
    wait_for_state(page, "File refused")
    bob_page = create_manager(page, server.url)
    create(page, server.url, "Dana", DANA, "Teacher")
    return Riverbend(server.url, applied_run, held_run, refused_run, bob_page)


def claim(page: Page, server: Server) -> None:
    """Set up the school system by the one-time link. Alice is its first manager."""
    page.goto(server.setup_link)
    assert faults_of(page, "setup") == []
    page.get_by_label("Name of the school system").fill("Riverbend Unified")
    page.get_by_label("External ID of the district (optional)").fill("RB")
    page.get_by_label("Your first name").fill("Alice")
    page.get_by_label("Your last name").fill("Abara")
    page.get_by_label("Your e-mail").fill(ALICE)
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Set up and sign in").click()
    page.get_by_text("Your school system is set up.").wait_for()


def import_schools(page: Page, server: Server) -> None:
    """Import North School and South School from a CSV file."""
    page.goto(f"{server.url}/settings/schools/import")
    page.get_by_label("CSV file").set_input_files(
        {"name": "schools.csv", "mimeType": "text/csv", "buffer": SCHOOLS.encode()}
    )
    page.get_by_role("button", name="Import").click()
    page.get_by_text("2 schools were added").wait_for()


def upload(page: Page, url: str, mode: str, content: bytes, name: str) -> str:
    """Upload a file through the form. Return the address of its run page, which is then open."""
    page.goto(f"{url}/bulk")
    page.get_by_role("radio", name=mode, exact=True).check()
    page.get_by_label("File", exact=True).set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="Upload and check").click()
    page.wait_for_url("**/runs/*")
    return page.url


def wait_for_state(page: Page, word: str) -> None:
    """Return once the run page shows the state with this word. The page follows the worker by itself."""
    page.locator("#run-body .status, #held", has_text=word).first.wait_for()


def create(page: Page, url: str, first_name: str, email: str, user_type: str) -> str:
    """Create a user at North School through the form. Return the address of the account's page."""
    page.goto(f"{url}/members/new")
    page.get_by_label("First name").fill(first_name)
    page.get_by_label("Last name").fill("Brandt")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("User type").select_option(user_type)
    page.get_by_label("School or district").select_option(label="North School")
    page.get_by_label("Password (optional)").fill(PASSWORD)
    page.get_by_label("They must choose another password").uncheck()
    page.get_by_role("button", name="Create User").click()
    page.get_by_role("heading", name="History").wait_for()
    return page.url


def create_manager(page: Page, url: str) -> str:
    """Create Bob, manager of North School. Return the address of his account's page."""
    address = create(page, url, "Bob", BOB, "Administrator")
    page.get_by_text("Make manager", exact=True).first.click()
    page.get_by_label("Make manager of").select_option(label="North School")
    page.get_by_role("button", name="Make manager").click()
    page.get_by_text("now manages North School").wait_for()
    return address


def signed_in(page: Page, riverbend: Riverbend, email: str = ALICE) -> Page:
    """Sign in on the page as this person and return it."""
    sign_in(page, riverbend.url, email, PASSWORD)
    return page
