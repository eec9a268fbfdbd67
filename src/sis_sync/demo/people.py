"""The people of the demo district and its exports. Every call returns the same people."""

import csv
import io
import random
import unicodedata
from dataclasses import astuple, dataclass, replace

from sis_sync.core.fields import ACTIVE, FIELD_NAMES, STUDENT

DISTRICT = ("D1", "Lakeview District")
DOMAIN = "lakeview.example"
SEED = 20261123

# On day 2, some students leave, some change and some start. On day 3, some of the students who left return.
LEAVING, RETURNING, CHANGING, NEW = 24, 6, 60, 9
BROKEN = 2
# The export of the last day ends so many rows too early.
MISSING = 130


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words("""
    Aaliyah Aarav Abigail Aiden Aisha Alejandra Amara Amélie Ana Anaïs Andrés Anh Aoife Arjun Asha Astrid Ava
    Ayaan Beatriz Ben Björn Brianna Camila Carlos Chloé Chinedu Claire Connor Daniela David DeShawn Diego Dmitri
    Eduardo Elena Elif Elijah Emeka Emily Émile Ethan Fatima Felix Fernanda Finn François Gabriela Giulia Grace
    Hana Hannah Harper Hassan Hiroshi Hugo Ibrahim Imani Inés Isabella Ivan Jada Jamal Jasmine Javier Jin Joaquín
    John Jonas José Juan-Carlos Kai Karim Kateryna Keiko Kenji Khadija Kiara Kwame Laila Lars Layla Leilani
    Leticia Liam Lucía Łukasz Mae Malik Marco María Mary-Jane Mateo Maya Mei Mohammed Nadia Naomi Natalia Nguyệt
    Niamh Noah Núria Olivia Omar Oscar Pablo Paige Patrick Priya Quinn Rachel Ravi Rosa Ryan Saanvi Samuel
    Santiago Sarah Seán Sebastián Sienna Siobhán Sofía Søren Stella Tariq Taylor Thảo Tiana Tomás Valentina Victor
    Wei William Ximena Yara Yusuf Zoë
""")
LAST_NAMES = _words("""
    Abdi Adebayo Aguilar Ahmed Ali Álvarez Andersen Anderson Baker Begum Bennett Brown Bui Campbell Castillo Chen
    Cohen Cole Contreras Cruz D'Angelo Davis Delgado Diaz Dubois Edwards Evans Fernández Fischer Flores Foster
    Frost García García-López Gómez González Gray Green Gupta Gutiérrez Hall Hansen Hassan Hernández Hill Hoang
    Hughes Ibrahim Iqbal Jackson Jensen Jiménez Johnson Jones Kaya Kelly Khan Kim Kowalski Kozłowski Kumar Larsson
    Lee Levy Lewis Li Lindqvist López Martin Martínez McDonald Mehta Mendoza Mitchell Mohamed Moore Moreau Morgan
    Morris Müller Murphy Nakamura Nelson Nguyen Novák Núñez Nwosu O'Brien O'Connor O'Neil Okafor Olsen Ortiz
    Østergård Owens Park Patel Pérez Phạm Phillips Popescu Price Quiñones Ramírez Reyes Rivera Roberts Robinson
    Rodríguez Rojas Ross Ruiz Sánchez Santos Schmidt Schneider Shah Silva Singh Smith Sørensen Sullivan Suzuki
    Tanaka Taylor Thomas Torres Tran Turner Vargas Vasquez Walker Wang White Williams Wilson Wright Yamamoto
    Yildirim Young Zhang Zimmermann
""")
POSITIONS = (
    "Art",
    "Band, Choir",
    "Biology",
    "Counselor",
    "English",
    "ESL",
    "History",
    "Kindergarten",
    "Librarian",
    "Mathematics",
    "Music",
    "Physical Education",
    "Principal, Upper School",
    "Science",
    "School Nurse",
    "Spanish",
    "Special Education",
)


@dataclass(frozen=True)
class School:
    """A school with the number of students in each grade and the number of adults."""

    external_id: str
    name: str
    grades: tuple[str, ...]
    students_per_grade: int
    adults: int


SCHOOLS = (
    School("010", "Lakeview Elementary", ("PreK", "K", "1", "2", "3", "4", "5"), 70, 34),
    School("020", "Lakeview Middle School", ("6", "7", "8"), 95, 26),
    School("030", "Lakeview High School", ("9", "10", "11", "12"), 85, 33),
)


@dataclass(frozen=True)
class Person:
    """One row of the export, in the order of the fields."""

    first_name: str
    middle_name: str
    last_name: str
    email: str
    custom_id: str
    school_district_external_id: str
    user_type: str
    position: str
    grade: str
    status: str = ACTIVE


def make_people() -> list[Person]:
    """Return the people in the district on the first day, about 1,200."""
    chance = random.Random(SEED)  # noqa: S311 - the demo must be the same everywhere
    people: list[Person] = []
    for school in SCHOOLS:
        for grade in school.grades:
            for _ in range(school.students_per_grade):
                people.append(_student(chance, len(people), school, grade))
        for _ in range(school.adults):
            people.append(_adult(chance, len(people), school))
    return people


def _student(chance: random.Random, number: int, school: School, grade: str) -> Person:
    return _person(chance, number, f"{100000 + number:07d}", school, STUDENT, grade=grade)


def _adult(chance: random.Random, number: int, school: School) -> Person:
    user_type = chance.choices(("Teacher", "Staff", "Administrator"), (75, 20, 5))[0]
    return _person(chance, number, f"E{4000 + number}", school, user_type, position=chance.choice(POSITIONS))


def _person(
    chance: random.Random,
    number: int,
    custom_id: str,
    school: School,
    user_type: str,
    *,
    position: str = "",
    grade: str = "",
) -> Person:
    first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
    middle = chance.choice(FIRST_NAMES) if chance.random() < 0.3 else ""
    email = f"{_ascii(first)}.{_ascii(last)}{number}@{DOMAIN}"
    return Person(first, middle, last, email, custom_id, school.external_id, user_type, position, grade)


def _ascii(name: str) -> str:
    plain = name.translate(str.maketrans("øØłŁıđ", "oOlLid"))
    letters = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    return "".join(letter for letter in letters.lower() if letter.isalpha())


def export_of_day(day: int) -> str:
    """Return the full export of day 1, 2 or 3 as CSV."""
    people = make_people()
    if day > 1:
        people = _day_two(people, keep=0 if day == 2 else RETURNING)
    return _as_csv(people)


def export_cut_off() -> str:
    """Return the export of day 3, which ended too early: the last rows of the last school are missing."""
    whole = export_of_day(3).splitlines(keepends=True)
    return "".join(whole[:-MISSING])


def _day_two(people: list[Person], *, keep: int) -> list[Person]:
    chance = random.Random(SEED + 1)  # noqa: S311 - the demo must be the same everywhere
    students = [index for index, person in enumerate(people) if person.user_type == STUDENT]
    picked = chance.sample(students, LEAVING + CHANGING + BROKEN)
    leaving, changing, broken = picked[: LEAVING - keep], picked[LEAVING : LEAVING + CHANGING], picked[-BROKEN:]
    changed = {index: _changed(chance, people[index], position) for position, index in enumerate(changing)}
    changed |= {index: replace(people[index], email="not known yet") for index in broken}
    rest = [changed.get(index, person) for index, person in enumerate(people) if index not in set(leaving)]
    return rest + [_student(chance, len(people) + number, SCHOOLS[2], "9") for number in range(NEW)]


def _changed(chance: random.Random, person: Person, position: int) -> Person:
    if position % 3 == 0:
        return replace(person, middle_name=chance.choice(FIRST_NAMES))
    if position % 3 == 1:
        return replace(person, last_name=chance.choice(LAST_NAMES))
    return replace(person, grade="Other")


def _as_csv(people: list[Person]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(FIELD_NAMES)
    writer.writerows(astuple(person) for person in people)
    return out.getvalue()
