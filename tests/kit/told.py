"""Files and accounts, and what holds for the answers to two senders whose systems differ only in their accounts."""

import csv
import io
import re
from typing import Any

from hypothesis import strategies as st
from kit.worlds import edited_first_names

ASK = "row.ask_a_manager"
_LINE = re.compile(r" line (\d+), ")
IDS = ("A", "B", "C", "D", "E", "F")

addresses = st.sampled_from([f"{letter}@x.example" for letter in "abcdef"])
values = {
    "first_name": st.sampled_from(["Ana", "Ben"]),
    "last_name": st.sampled_from(["Ruiz", "Cole"]),
    "email": addresses,
    "school_district_external_id": st.sampled_from(["010", "020"]),
    "user_type": st.sampled_from(["Student", "Student", "Teacher"]),
    "grade": st.sampled_from(["9", ""]),
    "status": st.sampled_from(["Active", "Active", "Disabled"]),
}
accounts_of_a_district = st.lists(
    st.fixed_dictionaries(
        {
            **values,
            "custom_id": st.sampled_from(["", *IDS]),
            "state": st.sampled_from(["live", "live", "deleted"]),
            "protected": st.sampled_from(["", "", "yes"]),
            "held_by_hand": st.sampled_from(["", "", "yes"]),
            "rights": st.sampled_from(["", "", "district"]),
            "in_scope": st.sampled_from(["yes", "yes", "no"]),
            "edited_names": edited_first_names(["Ana", "Ben"], ["Ana", "Ben"]),
        }
    ),
    max_size=5,
    unique_by=lambda account: account["custom_id"] or id(account),
)
row = st.fixed_dictionaries(
    {
        **values,
        "custom_id": st.sampled_from([*IDS, *IDS, "", "N/A", "00"]),
        "email": st.one_of(addresses, addresses, st.sampled_from(["", "no address"])),
        "school_district_external_id": st.sampled_from(["010", "020", "020", "030", "02O", ""]),
        "user_type": st.sampled_from(["Student", "Student", "Student", "Teacher", "Techer"]),
        "grade": st.sampled_from(["9", "9", "7th"]),
        "status": st.sampled_from(["Active", "Active", "Disabled", "Actve"]),
        "position": st.sampled_from(["", "", "Head"]),
        "last_name": st.sampled_from(["Ruiz", "Cole", "Ruiz\x07"]),
    }
)


def results_of(content: bytes) -> dict[str, dict[str, str]]:
    """The rows of a results file by their line."""
    return {row["line"]: row for row in csv.DictReader(io.StringIO(content.decode(), newline=""))}


def failed_of(content: bytes) -> dict[str, dict[str, str]]:
    """The rows of a file of failed rows by the line that their message names."""
    found = csv.DictReader(io.StringIO(content.decode(), newline=""))
    return {_LINE.findall(row["sis_sync_message"])[0]: row for row in found}


def failing_in_one(one: bytes, other: bytes) -> set[str]:
    """Return the lines that failed in one of two results only. Fail if the results differ in anything else."""
    rows, others = results_of(one), results_of(other)
    assert list(rows) == list(others)
    differing = {line for line in rows if rows[line] != others[line]}
    for line in differing:
        taken, failed = sorted((rows[line], others[line]), key=lambda row: row["action"] == "failed")
        assert (taken["action"], failed["action"]) == ("taken", "failed"), (taken, failed)
        codes = [code for code in failed["codes"].split(";") if code != ASK]
        assert sorted([*codes, ASK]) == failed["codes"].split(";"), failed
        assert codes == [code for code in taken["codes"].split(";") if code], (taken, failed)
        assert (taken["custom_id"], taken["fields"], failed["fields"]) == ("", "", "")
    return differing


def assert_failed_alike(one: bytes, other: bytes, differing: set[str]) -> None:
    """Fail if two files of failed rows differ in more than the rows that failed in one only."""
    rows, others = failed_of(one), failed_of(other)
    assert one.partition(b"\n")[0] == other.partition(b"\n")[0]
    assert {line for line in rows.keys() | others.keys() if rows.get(line) != others.get(line)} == differing


def without_asking(counts: dict[str, int], findings: dict[str, int]) -> dict[str, Any]:
    """Return counts and findings without the rows that failed because of an account."""
    asked = findings.get(ASK, 0)
    rest = {code: count for code, count in findings.items() if code != ASK}
    return {
        "taken": counts["taken"] + asked,
        "ignored": counts["ignored"],
        "failed": counts["failed"] - asked,
        "findings": rest,
    }
