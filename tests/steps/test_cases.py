"""Every folder of tests/cases: one fact, told by a file, the accounts before it, and the plan that must come of it."""

import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from kit.commands import Said, command, written_plan
from kit.plans import at_night

CASES = Path(__file__).parents[1] / "cases"
COMPARED = ("line", "action", "custom_id", "fields", "codes")


def arguments_of(case: Path, about: dict[str, Any], output: Path) -> list[str | Path]:
    """The command line that plans the case."""
    arguments: list[str | Path] = ["plan", next(case.glob("roster.*")), "--mode", about["mode"]]
    arguments += ["--orgs", case / "orgs.csv", "--output", output, "--json"]
    if (case / "accounts.csv").exists():
        arguments += ["--accounts", case / "accounts.csv"]
    if "mapping" in about:
        file = case / about["mapping"]
        arguments += ["--mapping", file if file.exists() else about["mapping"]]
    return [*arguments, *about.get("options", [])]


def assert_facts(said: Said, expected: dict[str, Any]) -> None:
    """The refusal, the guards, the sums and the file's warnings, each only where the case is about it."""
    if "refused" in expected:
        assert said.document["refused"]["code"] == expected["refused"]
    if "guards" in expected:
        assert {guard["code"] for guard in said.document["guards"]} == set(expected["guards"])
    for code, count in expected.get("warnings", {}).items():
        found = said.document["findings"].get(code, 0)
        assert found >= int(count[2:]) if isinstance(count, str) else found == count, code
    for name, count in expected.get("counts", {}).items():
        assert said.document["counts"][name] == count, name


def without(codes: str, may: list[str]) -> str:
    """The codes without those that a case leaves open."""
    return ";".join(code for code in codes.split(";") if not any(fnmatchcase(code, each) for each in may))


def about(name: str) -> dict[str, Any]:
    """The case.toml of a case."""
    return tomllib.loads((CASES / name / "case.toml").read_text(encoding="utf-8"))


NAMES = sorted(path.parent.name for path in CASES.glob("*/case.toml"))
AT_NIGHT = [name for name in NAMES if about(name).get("night")]


@pytest.mark.parametrize("name", [*(name for name in NAMES if name not in AT_NIGHT), *at_night(*AT_NIGHT)])
def test_case(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case, about_case = CASES / name, about(name)
    said = command(capsys, *arguments_of(case, about_case, tmp_path / "plan.csv"))
    assert said.exit_code == about_case["exit"], about_case["about"] + "\n" + said.err
    facts: dict[str, Any] = {}
    if (case / "expected.toml").exists():
        facts = tomllib.loads((case / "expected.toml").read_text(encoding="utf-8"))
        assert_facts(said, facts)
    if (case / "expected.csv").exists():
        planned, expected = (
            [
                [*(row[column] for column in COMPARED[:-1]), without(row["codes"], facts.get("may", []))]
                for row in written_plan(path)
            ]
            for path in (tmp_path / "plan.csv", case / "expected.csv")
        )
        assert planned == expected, about_case["about"]
