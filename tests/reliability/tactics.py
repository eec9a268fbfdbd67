"""What someone with a stolen upload key could send in a week to harm people, as a table of tactics.

Each tactic yields files. All of them are sent, whatever becomes of the earlier ones, and nobody approves anything.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reliability.people import Person, asleep, changed, file_of, gone, newcomers, pupils, teachers

FEW, MANY_FILES = 4, 12
BELOW = 19  # of one field, the most that may change


@dataclass(frozen=True)
class Sent:
    """A file, its mode and the mapping lines that go with it."""

    mode: str
    text: str
    mapping: str = ""


Tactic = Callable[[], Iterator[Sent]]
TACTICS: dict[str, Tactic] = {}


def tactic(run: Tactic) -> Tactic:
    """Put it into the table under its name in words."""
    TACTICS[run.__name__.replace("_", " ")] = run
    return run


def partial(people: list[Person]) -> Sent:
    return Sent("partial", file_of(people))


def in_parts(people: list[Person], size: int) -> Iterator[list[Person]]:
    for first in range(0, len(people), size):
        yield people[first : first + size]


@tactic
def half_of_the_list_at_a_line_end() -> Iterator[Sent]:
    yield Sent("students", file_of(pupils()[: len(pupils()) // 2]))
    yield Sent("full", file_of(pupils()))


@tactic
def list_cut_inside_a_row() -> Iterator[Sent]:
    text = file_of(pupils())
    for size in (len(text) // 2, len(text) - 30, len(text) - 1):
        yield Sent("students", text[:size])


@tactic
def some_left_out_of_each_list() -> Iterator[Sent]:
    chance, rest = random.Random(7), pupils()
    for _ in range(MANY_FILES):
        rest = [row for row in rest if row not in chance.sample(rest, FEW)]
        yield Sent("students", file_of(rest))


@tactic
def some_left_out_by_turns_of_the_modes() -> Iterator[Sent]:
    chance, students, staff = random.Random(8), pupils(), teachers()
    for number in range(MANY_FILES):
        students = [row for row in students if row not in chance.sample(students, FEW)]
        staff = [row for row in staff if row not in chance.sample(staff, 1)]
        yield (
            Sent("students", file_of(students)),
            Sent("full", file_of([*students, *staff])),
            Sent("staff", file_of(staff)),
            partial(changed(staff[:2], status="Disabled")),
        )[number % 4]


@tactic
def everyone_disabled() -> Iterator[Sent]:
    yield partial(changed([*pupils(), *teachers()], status="Disabled"))
    yield Sent("full", file_of(changed([*pupils(), *teachers()], status="Disabled")))


@tactic
def a_few_disabled_in_each_file() -> Iterator[Sent]:
    for people in in_parts(pupils()[: FEW * MANY_FILES], FEW):
        yield partial(changed(people, status="Disabled"))


@tactic
def newcomers_and_then_the_real_people_disabled() -> Iterator[Sent]:
    for _ in range(3):
        yield partial(newcomers(1000))
        yield partial(newcomers(49))
    for people in in_parts(pupils(), 50):
        yield partial(changed(people, status="Disabled"))


@tactic
def newcomers_and_then_the_real_people_left_out() -> Iterator[Sent]:
    fresh = newcomers(49)
    yield partial(fresh)
    yield Sent("students", file_of([*fresh, *pupils()[40:]]))
    yield Sent("students", file_of([*fresh, *newcomers(2000), *pupils()[150:]]))


@tactic
def newcomers_in_many_files() -> Iterator[Sent]:
    for _ in range(6):
        yield partial(newcomers(20))


@tactic
def newcomers_with_passwords() -> Iterator[Sent]:
    for _ in range(3):
        people = newcomers(9, password="Kestrel-lamp-47")
        yield Sent("partial", file_of(people, extra=("password",)))


@tactic
def newcomers_who_leave_and_others_who_come() -> Iterator[Sent]:
    for _ in range(4):
        people = newcomers(30)
        yield partial(people)
        yield partial(changed(people, status="Disabled"))


@tactic
def new_addresses_in_parts() -> Iterator[Sent]:
    for people in in_parts(pupils()[: BELOW * 4], BELOW):
        yield partial(changed(people, email="{id}@elsewhere.example"))


@tactic
def new_names_in_parts() -> Iterator[Sent]:
    for people in in_parts(pupils()[: BELOW * 2], BELOW):
        yield partial(changed(people, first_name="Rude"))
    for people in in_parts(pupils()[BELOW * 2 : BELOW * 4], BELOW):
        yield partial(changed(people, middle_name="Rude"))


@tactic
def other_types_in_parts_and_then_left_out() -> Iterator[Sent]:
    for people in in_parts(pupils()[: BELOW * 4], BELOW):
        yield partial(changed(people, user_type="Staff", grade=""))
    yield Sent("staff", file_of(teachers()))
    yield Sent("students", file_of(pupils()[BELOW * 4 :]))


@tactic
def a_school_moved_in_parts() -> Iterator[Sent]:
    of_school = [row for row in pupils() if row["school_district_external_id"] == "S1"]
    for people in [*in_parts(of_school, BELOW), of_school]:
        yield partial(changed(people, school_district_external_id="N1"))


@tactic
def a_school_left_out() -> Iterator[Sent]:
    yield Sent("students", file_of(row for row in pupils() if row["school_district_external_id"] != "S1"))


@tactic
def people_moved_into_a_school_that_then_leaves() -> Iterator[Sent]:
    others = [row for row in pupils() if row["school_district_external_id"] == "N1"]
    yield partial(changed(others[:BELOW], school_district_external_id="S1"))
    of_school = [row for row in pupils() if row["school_district_external_id"] == "S1"]
    for people in in_parts(of_school, 15):
        yield partial(changed(people, status="Disabled"))


@tactic
def sleepers_woken_and_the_deleted_brought_back() -> Iterator[Sent]:
    for people in in_parts(asleep(), FEW):
        yield partial(changed(people, status="Active"))
    yield partial(gone())
    for _ in range(2):
        yield partial(newcomers(45))


@tactic
def new_ids_for_everyone() -> Iterator[Sent]:
    yield Sent("students", file_of(changed(pupils(), custom_id="N{id}")))
    yield Sent("students", file_of(changed(pupils(), custom_id="N{id}", email="n{id}@x.example", middle_name="Q")))


@tactic
def columns_that_moved() -> Iterator[Sent]:
    header, _, rows = file_of(pupils()).partition("\n")
    names = header.split(",")
    yield Sent("students", ",".join([*names[1:], names[0]]) + "\n" + rows)
    yield Sent(
        "students", header.replace("email", "x").replace("custom_id", "email").replace("x", "custom_id") + "\n" + rows
    )


@tactic
def mapping_that_disables() -> Iterator[Sent]:
    yield Sent("partial", file_of(pupils()), "mapper.m.value.status.Active=Disabled\n")
    yield Sent("partial", file_of(pupils()), "mapper.m.constant.status=Disabled\n")


@tactic
def mapping_that_makes_other_ids() -> Iterator[Sent]:
    yield Sent("students", file_of(pupils()), "mapper.m.column.custom_id=email\n")
    yield Sent("students", file_of(pupils()), "mapper.m.template.custom_id={custom_id}0\n")
    yield Sent("students", file_of(pupils()), "mapper.m.constant.custom_id=P0001\n")


@tactic
def mapping_that_leaves_rows_out() -> Iterator[Sent]:
    yield Sent("students", file_of(pupils()), "mapper.m.skip.status=Active\n")
    rows = changed(pupils()[:15], position="x", custom_id="Q{id}") + pupils()[15:]
    yield Sent("students", file_of(rows), "mapper.m.skip.position=x\n")


@tactic
def rows_that_fail() -> Iterator[Sent]:
    yield Sent("students", file_of([*changed(pupils()[:100], email="none", custom_id=""), *pupils()[100:]]))
    lines = file_of(pupils()).split("\n")
    lines[1:41] = [f"{line},,,," for line in lines[1:41]]
    yield Sent("students", "\n".join(lines))


@tactic
def managers_taken_over() -> Iterator[Sent]:
    manager = teachers()[:1]
    yield partial(changed(manager, email="mine@elsewhere.example"))
    yield partial(changed(manager, status="Disabled"))
    yield partial(changed(manager, school_district_external_id="W1"))
    yield Sent("partial", file_of(changed(manager, password="Kestrel-lamp-47"), extra=("password",)))
    yield Sent("staff", file_of(teachers()[1:]))


@tactic
def all_at_once_below_each_limit() -> Iterator[Sent]:
    """Every limit used up in one week, and then a little more of each."""
    people = pupils()
    yield partial(changed(people[:BELOW], email="{id}@elsewhere.example"))
    yield partial(changed(people[BELOW : 2 * BELOW], last_name="Rude"))
    yield partial(changed(people[2 * BELOW : 3 * BELOW], user_type="Staff", grade=""))
    yield partial(newcomers(49))
    yield partial(changed(people[-20:], status="Disabled"))
    yield partial(changed(people[-40:-20], status="Disabled"))
    yield partial(changed(people[4 * BELOW : 5 * BELOW], email="{id}@elsewhere.example"))
    yield partial(newcomers(20))
