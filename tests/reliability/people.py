"""The invented people of a school system under attack, as rows of a file, and what became of them."""

from collections.abc import Iterable
from itertools import count

from kit.plans import table

from sis_sync.core.fields import FIELD_NAMES

Person = dict[str, str]
SCHOOLS = ("N1", "S1", "W1")
PUPILS, TEACHERS, ASLEEP, GONE = 200, 40, 20, 20
ACTIVE = PUPILS + TEACHERS
NEW_PEOPLE = count(1)


def pupil(custom_id: str, number: int, **values: str) -> Person:
    """Return the row of a student."""
    return {
        "first_name": "Sam",
        "middle_name": "",
        "last_name": f"Okafor{number}",
        "email": f"{custom_id.lower()}@riverbend.example",
        "custom_id": custom_id,
        "school_district_external_id": SCHOOLS[number % len(SCHOOLS)],
        "user_type": "Student",
        "position": "",
        "grade": str(1 + number % 12),
        "status": "Active",
        **values,
    }


def pupils() -> list[Person]:
    """Return the Active students."""
    return [pupil(f"P{number:04}", number) for number in range(PUPILS)]


def teachers() -> list[Person]:
    """Return the Active teachers. The first one is a manager."""
    return [pupil(f"T{number:04}", number, user_type="Teacher", grade="") for number in range(TEACHERS)]


def asleep() -> list[Person]:
    """Return the students who are Disabled."""
    return [pupil(f"D{number:04}", number, status="Disabled") for number in range(ASLEEP)]


def gone() -> list[Person]:
    """Return the students who were deleted a month ago."""
    return [pupil(f"G{number:04}", number) for number in range(GONE)]


def newcomers(number: int, **values: str) -> list[Person]:
    """Return the rows of students that no one knows yet."""
    return [pupil(f"Z{fresh:05}", fresh, **values) for fresh in (next(NEW_PEOPLE) for _ in range(number))]


def changed(people: Iterable[Person], **values: str) -> list[Person]:
    """Return these people with other values. `{id}` in a value is their custom ID."""
    return [
        {**row, **{name: text.replace("{id}", row["custom_id"]) for name, text in values.items()}} for row in people
    ]


def file_of(people: Iterable[Person], *, extra: tuple[str, ...] = ()) -> str:
    """Return a CSV file of these people."""
    return table((*FIELD_NAMES, *extra), people)
