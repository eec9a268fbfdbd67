"""The engine against the same rules in plain Python, on random directories and files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.plans import TIMES, Planned, accounts_file, applied, examples, plan_bytes, roster_file, table
from kit.worlds import Person, World, decide, field_settings, worlds

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.modes import STANDARD_FIELD_SETTINGS, FieldSettings
from sis_sync.steps.read.scan import CHUNK_BYTES

MODES = st.sampled_from(["partial", "full", "students", "staff"])
# Many worlds in few plans: a plan of 17 worlds costs hardly more than one of 9, and proves twice as much.
many = examples(4, night=14)
MANY_WORLDS = worlds(least=9)
# A row and an account that belong to no world: in the modes that judge absence a file needs a record.
ANCHOR = dict(zip(FIELD_NAMES, ("An", "", "Chor", "an@x.example", "anchor", "D1", "", "", "", "Active"), strict=True))


def planned(made: tuple[World, ...], mode: str, settings: FieldSettings = STANDARD_FIELD_SETTINGS) -> Planned:
    rows = [{name: row[name] for name in FIELD_NAMES} for world in made for row in world.rows]
    accounts = [account for world in made for account in world.accounts]
    return plan_bytes(
        roster_file([ANCHOR, *rows]), accounts=accounts_file(accounts), mode=mode, field_settings=settings
    )


@many
@given(made=MANY_WORLDS, mode=MODES, settings=st.one_of(st.just(STANDARD_FIELD_SETTINGS), field_settings))
def test_engine_follows_the_rules(made: tuple[World, ...], mode: str, settings: FieldSettings) -> None:
    plan = planned(made, mode, settings)
    decided = [decide(world, mode, settings) for world in made]
    expected = [decision.as_planned for decisions, _ in decided for decision in decisions]
    of_rows = plan.rows[1 : plan.counts.rows]
    assert [(row["action"], row["fields"], row["codes"]) for row in of_rows] == expected
    assert plan.with_action("delete") == sorted(gone for _, leaving in decided for gone in leaving)


@many
@given(made=MANY_WORLDS, mode=MODES)
def test_applied_file_changes_nothing(made: tuple[World, ...], mode: str) -> None:
    plan = planned(made, mode)
    after = applied([account for world in made for account in world.accounts], plan)
    rows = [{name: row[name] for name in FIELD_NAMES} for world in made for row in world.rows]
    again = plan_bytes(roster_file([ANCHOR, *rows]), accounts=accounts_file(after), mode=mode)
    changes = [row for row in again.rows if row["action"] in ("create", "update", "restore", "delete")]
    assert changes == []
    live = [account["email"].lower() for account in after if account["state"] == "live"]
    assert len(live) == len(set(live)), "two live accounts share an address"


@many
@given(made=worlds(least=4, most=12), mode=MODES, order=st.randoms(use_true_random=False))
def test_row_order_changes_nothing(made: tuple[World, ...], mode: str, order: object) -> None:
    single = tuple(World(world.accounts, first_of_each_id(world.rows)) for world in made)
    rows = [{name: row[name] for name in FIELD_NAMES} for world in single for row in world.rows]
    shuffled = list(rows)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    accounts = accounts_file(account for world in single for account in world.accounts)
    one, other = (plan_bytes(roster_file([ANCHOR, *each]), accounts=accounts, mode=mode) for each in (rows, shuffled))
    assert one.counts == other.counts
    assert sorted(map(str, one.rows)) == sorted(map(str, other.rows))
    assert one.guards - {"guard.no_final_newline"} == other.guards - {"guard.no_final_newline"}


@examples(2, night=6)
@given(made=MANY_WORLDS, mode=MODES)
def test_same_bytes_when_repeated(made: tuple[World, ...], mode: str) -> None:
    one, other = planned(made, mode), planned(made, mode)
    assert one.output == other.output
    assert one.digest == other.digest


@pytest.mark.night
def test_threads_and_memory_change_nothing() -> None:
    """More than 100,000 rows, every fourth of which clashes, moves or fails, so that every step has work."""
    rows = [
        {**ANCHOR, "first_name": "An\na" if number % 4 == 0 else "Ana", "custom_id": str(number % 118_000)}
        | {"email": f"{number % 119_000}@x.example", "school_district_external_id": "010" if number % 7 else "999"}
        for number in range(120_000)
    ]
    content, accounts = roster_file(rows), accounts_file({**row, "last_name": "Before"} for row in rows[500:60_000])
    settings = [(1, 1024), (2, 256), *([(4, 1024), (2, 1024)] if TIMES > 1 else [])]
    plans = [
        plan_bytes(content, accounts=accounts, threads=threads, memory_limit_mb=memory) for threads, memory in settings
    ]
    assert plans[0].counts.rows == len(rows)
    assert len({plan.output for plan in plans}) == 1
    assert len({plan.digest for plan in plans}) == 1


def test_part_borders_change_nothing() -> None:
    """A cell that nobody reads moves the rest over the end of a part: long letters, quotes, CRLF, line breaks."""
    people = [
        {**ANCHOR, "first_name": "Zoë", "last_name": 'Núñez "é"\r\né, Jr.', "custom_id": f"{number}é"}
        | {"email": f"{number}@x.example", "status": "Active" if number % 9 else "Gone", "note": ""}
        for number in range(4_000)
    ]
    outputs = set()
    for moved in range(0, 90, 9 if TIMES > 1 else 27):
        people[0]["note"] = "x" * moved
        content = table((*FIELD_NAMES, "note"), people).replace("\r\n", "\n").replace("\n", "\r\n").encode()
        assert len(content) > CHUNK_BYTES + 1000
        outputs.add(plan_bytes(content, accounts=accounts_file([])).output)
    assert len(outputs) == 1


def first_of_each_id(rows: tuple[Person, ...]) -> tuple[Person, ...]:
    """Which of several equal rows counts depends on their order, so only one of each ID is left."""
    return tuple({row["custom_id"] or str(number): row for number, row in enumerate(rows)}.values())
