"""`sis-sync bench`: each scenario at a tiny size, in the processes that it really runs in. No figure is judged."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sis_sync.bench.scenarios import SCENARIOS

ROWS = 300


def bench(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "sis_sync", "bench", *words, "--cache", str(folder / "cache")]
    return subprocess.run(command, capture_output=True, text=True)


def measured(folder: Path, *words: str) -> list[dict[str, Any]]:
    target = folder / "figures.json"
    ran = bench(folder, *words, "--rows", str(ROWS), "--repeats", "2", "--json", str(target))
    assert ran.returncode == 0, ran.stderr
    document = json.loads(target.read_text(encoding="utf-8"))
    assert document.keys() == {"date", "machine", "versions", "results"}
    assert [result["title"] for result in document["results"] if result["title"] not in ran.stdout] == []
    results: list[dict[str, Any]] = document["results"]
    return results


@pytest.mark.parametrize("scenario", list(SCENARIOS))
def test_a_scenario_measures_both_sides(scenario: str, tmp_path: Path) -> None:
    results = measured(tmp_path, scenario)
    assert results
    for result in results:
        sides = [side for side in (result["ours"], result["peer"]) if side]
        assert [len(side["every_cpu_seconds"]) for side in sides] == [2] * len(sides), result
        assert min(side["memory_mb"] for side in sides) > 0, result
        assert (result["ratio"] is None) == (result["peer"] is None)


def test_an_unknown_scenario_is_refused_with_their_names(tmp_path: Path) -> None:
    ran = bench(tmp_path, "writing")
    assert ran.returncode == 2
    assert "reading" in ran.stderr


def digests(folder: Path) -> dict[str, str]:
    command = [sys.executable, "-m", "sis_sync.bench.work.make_files", str(folder), "5000"]
    assert subprocess.run(command, capture_output=True).returncode == 0
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.csv")}


def test_the_same_number_of_rows_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = digests(tmp_path / "first"), digests(tmp_path / "second")
    assert first == second
    assert len(set(first.values())) == 5


def test_the_files_are_what_they_say(tmp_path: Path) -> None:
    digests(tmp_path)
    accounts, roster, nightly = (
        (tmp_path / f"{name}.csv").read_text(encoding="utf-8").splitlines()
        for name in ("accounts", "roster", "nightly")
    )
    bad = set(roster) - set(accounts)
    assert 60 < len(bad) < 140  # 2 % of 5000
    changed = set(nightly) ^ set(roster)
    assert 15 < len(changed) < 80  # of 25 people, those with another school count twice
