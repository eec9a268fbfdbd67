"""A sender that may only upload learns nothing of the accounts but which rows failed."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from kit.plans import examples, table
from kit.told import (
    IDS,
    accounts_of_a_district,
    assert_failed_alike,
    failing_in_one,
    results_of,
    row,
    without_asking,
)
from kit.worlds import field_settings

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.findings import OWN_VALUE
from sis_sync.core.modes import MODES, STANDARD_FIELD_SETTINGS, FieldSettings
from sis_sync.engine.duckdb import open_session
from sis_sync.steps.map.mapper_lines import parse_mapping
from sis_sync.steps.map.mapping import NO_MAPPING
from sis_sync.steps.pipeline import PlanInput, plan_file
from sis_sync.steps.plan.plan import save_plan
from sis_sync.steps.report import write_failed_rows, write_told, write_told_results
from sis_sync.steps.tell.tell import Told, tell_of_file, tell_of_rows

ORGS = "external_id,name,in_scope\n010,North Elementary,yes\n020,Lakeview High,yes\n030,Far High,no\n"
PAGE = "urn:sis-sync:run:1"
# Lines whose values depend on the accounts.
SETTLING = """
mapper.m.keep.grade=
mapper.m.default.grade=9
mapper.m.create.position={first_name}
mapper.m.default.email={first_name:lower}.{last_name:letters:lower}@x.example
mapper.m.unique.email=number
"""
ACCOUNT_COLUMNS = (*FIELD_NAMES, "state", "protected", "held_by_hand", "rights", "in_scope", "edited_names")

# Several small worlds go through one plan: they share no ID and no address.
worlds = st.lists(
    st.tuples(st.lists(row, max_size=5), accounts_of_a_district, accounts_of_a_district), min_size=12, max_size=12
)
broken = st.sampled_from(["", "a,b\n", '"An"a,,b\n', ",".join("12345678901") + "\n"])


@dataclass(frozen=True)
class Answer:
    """What the sender is told."""

    told: Told
    results: bytes
    failed: bytes


def answer_of(
    content: str,
    accounts: list[dict[str, str]],
    mode: str,
    *,
    own_results: bool = False,
    mapping: str = "",
    settings: FieldSettings = STANDARD_FIELD_SETTINGS,
) -> Answer:
    with tempfile.TemporaryDirectory(prefix="sis-sync-test-") as name, open_session(threads=1) as session:
        folder = Path(name)
        (folder / "people.csv").write_text(content, encoding="utf-8")
        (folder / "orgs.csv").write_text(ORGS, encoding="utf-8")
        (folder / "accounts.csv").write_text(table(ACCOUNT_COLUMNS, accounts), encoding="utf-8")
        files = (folder / "people.csv", MODES[mode], folder / "orgs.csv", folder / "accounts.csv")
        lines = parse_mapping(mapping) if mapping else NO_MAPPING
        given_files = PlanInput(*files, mapping=lines, field_settings=settings)
        plan, _ = plan_file(session, given_files)
        stored = (folder / "plan", folder / "unchanged")
        save_plan(session, plan, *stored)
        told = Told({}, {})
        if own_results:
            tell_of_rows(session, plan)
        else:
            told = tell_of_file(session, plan, page=PAGE)
        write_told(session, folder / "told")
        others = "unchanged" if own_results else "taken"
        write_told_results(session, folder / "results.csv", told=folder / "told", plan=stored, others=others)
        write_failed_rows(session, plan.records, folder / "failed.csv", of="told")
        return Answer(told, (folder / "results.csv").read_bytes(), (folder / "failed.csv").read_bytes())


def in_world(number: int, people: list[dict[str, str]]) -> list[dict[str, str]]:
    """Give the IDs and addresses of these people to this world alone."""
    return [
        {
            **person,
            "custom_id": person["custom_id"] + (str(number) if person["custom_id"] in IDS else ""),
            "email": person["email"].replace("@", f"{number}@"),
        }
        for person in people
    ]


@examples(2)
@given(worlds, broken, st.sampled_from(list(MODES)), st.sampled_from(["", SETTLING]), field_settings)
def test_accounts_decide_only_which_rows_fail(
    drawn: list[tuple[list[dict[str, str]], ...]], broken_rows: str, mode: str, mapping: str, settings: FieldSettings
) -> None:
    rows, here, there = (
        [person for number, world in enumerate(drawn) for person in in_world(number, world[part])] for part in range(3)
    )
    content = table(FIELD_NAMES, rows) + "x,,y,x@x.example,X,020,Student,,9,Active\n" + broken_rows
    one, other = (answer_of(content, accounts, mode, mapping=mapping, settings=settings) for accounts in (here, there))
    differing = failing_in_one(one.results, other.results)
    assert_failed_alike(one.failed, other.failed, differing)
    assert without_asking(one.told.counts, one.told.findings) == without_asking(other.told.counts, other.told.findings)
    for answer in (one, other):
        actions = [result["action"] for result in results_of(answer.results).values()]
        assert answer.told.counts == {action: actions.count(action) for action in ("taken", "ignored", "failed")}


def test_own_results_have_no_value_that_an_account_keeps() -> None:
    row = dict(
        zip(FIELD_NAMES, ("Ben", "", "Ruiz", "b@x.example", "B", "020", "Student", "", "9", "Active"), strict=True)
    )
    edit = '{"first_name": {"here": "Typed", "sis": "Ben", "on": "2026-09-01"}}'
    account = {**row, "first_name": "Typed", "grade": "8", "edited_names": edit}
    settings = FieldSettings(grade="off")
    told = answer_of(table(FIELD_NAMES, [row]), [account], "partial", own_results=True, settings=settings).results
    assert b"first_name.edited;grade.kept" in told
    assert told.count(OWN_VALUE.encode()) == 2
    assert b"Typed" not in told
    assert b"2026-09-01" not in told
