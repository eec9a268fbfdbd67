"""The command plans some of tests/cases on Spark: the same file and the same words, byte for byte, as on DuckDB."""

import tomllib
from pathlib import Path

import pytest
from kit.commands import command
from kit.plans import IS_THOROUGH
from kit.services import need_spark
from steps.test_cases import CASES, arguments_of

# Several guards at once; a mapping with letters that are no ASCII; values that accounts keep.
SOME = ("guard-several", "mapping-value-accented-key", "names-edited-here")
ALL = tuple(sorted(path.parent.name for path in CASES.glob("*/expected.csv")))


@pytest.mark.night
@pytest.mark.xdist_group("spark")
@pytest.mark.parametrize("name", ALL if IS_THOROUGH else SOME)
def test_spark_plans_cases_alike(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    need_spark()
    monkeypatch.setenv("SIS_SYNC_SPARK_MASTER", "local[2]")
    output = tmp_path / "plan.csv"
    about = tomllib.loads((CASES / name / "case.toml").read_text(encoding="utf-8"))
    made = []
    for engine in ("duckdb", "spark"):
        said = command(capsys, *arguments_of(CASES / name, about, output), "--engine", engine)
        assert said.exit_code == about["exit"], said.err
        made.append((said.out, output.read_bytes()))
        output.unlink()
    assert made[0] == made[1]
