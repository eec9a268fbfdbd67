"""Addresses that a mapping makes and numbers: each person has one of their own, and keeps it."""

import csv
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.plans import Place, examples, place

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.guards import History
from sis_sync.core.modes import PARTIAL
from sis_sync.engine.duckdb import open_session
from sis_sync.steps.map.mapper_lines import parse_mapping
from sis_sync.steps.map.settle import HeldAddresses
from sis_sync.steps.pipeline import PlanInput, plan_file

LINES = "mapper.m.template.email={first_name:lower:first 1}{last_name:lower}@x.example\nmapper.m.unique.email=number\n"
NAMES = ("Ana Ruiz", "Abe Ruiz", "Al Ruiz2", "Ada Ruiz22", "Bo Ek")
HEADER = ",".join(FIELD_NAMES)


def row(number: int, name: str, email: str = "") -> str:
    first, last = name.split()
    return f"{first},,{last},{email},P{number:02},010,Student,,9,Active"


def file_of(rows: list[str]) -> bytes:
    return "\n".join([HEADER, *rows, ""]).encode()


def addresses(there: Place) -> dict[str, str]:
    """The address of each account, after the last plan was applied."""
    with (there.folder / "accounts.csv").open(encoding="utf-8", newline="") as file:
        return {account["custom_id"]: account["email"] for account in csv.DictReader(file)}


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=12), st.randoms(use_true_random=False))
@examples(1)
def test_addresses_are_unique_and_stay(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], random: Random
) -> None:
    rows = [row(number, name) for number, name in enumerate(names)]
    with place(tmp_path_factory.mktemp("made"), mode="partial", mapping=LINES) as there:
        there.apply(file_of(rows[: len(rows) // 2]))
        first = addresses(there)
        random.shuffle(rows)
        there.apply(file_of(rows))
        found = addresses(there)
        plan, _ = there.plan(file_of(rows), history=History())
    assert first.items() <= found.items()
    assert len(set(found.values())) == len(rows) == plan.counts.unchanged


def test_first_free_numbers_by_custom_id(tmp_path: Path) -> None:
    rows = [row(3, "Ana Ruiz"), row(1, "Abe Ruiz"), row(2, "Al Ruiz"), row(4, "Ann Moss", "aruiz2@x.example")]
    with place(tmp_path, mode="partial", mapping=LINES.replace("template", "default")) as there:
        there.apply(file_of(rows))
        assert addresses(there) == {
            "P01": "aruiz@x.example",
            "P02": "aruiz3@x.example",
            "P03": "aruiz4@x.example",
            "P04": "aruiz2@x.example",
        }


def test_series_that_meet_share_no_number(tmp_path: Path) -> None:
    named = ["Ana Ruiz"] * 23 + ["Al Ruiz2"] * 3 + ["Ada Ruiz22"] * 2
    rows = [row(number, name) for number, name in enumerate(named)]
    with place(tmp_path, mode="partial", mapping=LINES) as there:
        there.apply(file_of(rows))
        found = addresses(there)
    assert len(set(found.values())) == len(rows)
    # Numbers 2 and 22 to 24 of the first series are addresses of the longer ones, or could be.
    assert found["P21"] == "aruiz31@x.example"
    assert [found[f"P{number}"] for number in range(23, 28)] == [
        *("aruiz2@x.example", "aruiz23@x.example", "aruiz24@x.example"),
        *("aruiz22@x.example", "aruiz222@x.example"),
    ]


def test_held_address_is_not_made_again(tmp_path: Path) -> None:
    (tmp_path / "orgs.csv").write_text("external_id,name\n010,North\n", encoding="utf-8")
    (tmp_path / "roster.csv").write_bytes(file_of([row(1, "Ana Ruiz"), row(2, "Bo Ek", "bek@x.example")]))
    with open_session(threads=1) as session:
        once = ["aruiz@x.example", *(f"aruiz{number}@x.example" for number in range(2, 40)), "bek@x.example"]
        digests = [session.value("SELECT keyed_hash(:text, 'secret')", text=text) for text in once]
        (tmp_path / "held.csv").write_text("\n".join([*digests, ""]), encoding="utf-8")
        given_input = PlanInput(
            tmp_path / "roster.csv",
            PARTIAL,
            tmp_path / "orgs.csv",
            mapping=parse_mapping(LINES.replace("template", "default")),
            held_addresses=HeldAddresses(tmp_path / "held.csv", "secret"),
        )
        plan_file(session, given_input)
        made = session.rows("SELECT custom_id, email FROM people ORDER BY line")
    assert made == [("P01", "aruiz40@x.example"), ("P02", "bek@x.example")]
