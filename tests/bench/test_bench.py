"""`sis-sync bench`: each scenario at a tiny size, in the same processes as usual. No test judges a figure."""

import hashlib
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from sis_sync.bench.compare import Comparison, Process, compare
from sis_sync.bench.measure import WorkFailed, server_cpu
from sis_sync.bench.peers import PACKAGES
from sis_sync.bench.postgresql import throw_away_cluster
from sis_sync.bench.report import as_markdown, as_svg, document, promises_as_markdown
from sis_sync.bench.scenarios import SCENARIOS
from sis_sync.bench.work.page_cost import PAGES

ROWS = 300
NAMES_OF_PEERS = [
    "peers.create",
    "peers.create-preview",
    "peers.delta",
    "peers.delta-preview",
    "peers.pandas",
    "peers.pandas-objects",
]


def bench(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "sis_sync", "bench", *words, "--cache", str(folder / "cache")]
    return subprocess.run(command, capture_output=True, text=True)


def measured(folder: Path, *words: str, repeats: int = 1) -> list[dict[str, Any]]:
    target = folder / "figures.json"
    ran = bench(folder, *words, "--rows", str(ROWS), "--repeats", str(repeats), "--json", str(target))
    assert ran.returncode == 0, ran.stderr
    document = json.loads(target.read_text(encoding="utf-8"))
    assert document.keys() == {"date", "machine", "versions", "results"}
    assert [result["title"] for result in document["results"] if result["title"] not in ran.stdout] == []
    results: list[dict[str, Any]] = document["results"]
    return results


# The gate measures these by other tests, or the same steps at one size.
OF_THE_NIGHT = ("plan", "results", "growth", "waiting", "districts", "help", "sqlite")


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(name, marks=pytest.mark.night if name in OF_THE_NIGHT else ())
        for name in SCENARIOS
        if name not in ("postgresql", "peers", "pages")
    ],
)
def test_scenario_measures_both_sides(scenario: str, tmp_path: Path) -> None:
    look_at(measured(tmp_path, scenario))


def test_peers_are_measured_or_named(tmp_path: Path) -> None:
    if all(map(find_spec, PACKAGES)):
        results = measured(tmp_path, "peers")
        look_at(results)
        assert [result["name"] for result in results] == NAMES_OF_PEERS
    else:
        ran = bench(tmp_path, "peers")
        assert ran.returncode == 3
        assert "requirements/bench.lock" in ran.stderr


def test_peer_must_count_the_same() -> None:
    answers = ('{"counts": {"create": 1}}', '{"counts": {"create": 2}}')
    one, two = (Process("counts", [sys.executable, "-c", f"print({answer!r})"]) for answer in answers)
    assert compare(Comparison("same", "same", 1, one, one, alike=("create",)), 1).ratio
    with pytest.raises(WorkFailed, match="create is 1 for ours and 2 for the other"):
        compare(Comparison("other", "other", 1, one, two, alike=("create",)), 1)


@pytest.mark.night  # the gate measures the same processes on SQLite, and starts a temporary PostgreSQL
def test_runs_on_named_postgresql(postgresql_server_url: str, tmp_path: Path) -> None:
    look_at(measured(tmp_path, "postgresql", "--database", postgresql_server_url))


@pytest.mark.night
def test_every_page_is_measured(postgresql_server_url: str, tmp_path: Path) -> None:
    results = measured(tmp_path, "pages", "--database", postgresql_server_url)
    look_at(results)
    assert [result["name"] for result in results] == [f"pages.{name}" for name in PAGES]


@pytest.mark.night
def test_temporary_postgresql_can_be_measured(postgresql_server_url: str, tmp_path: Path) -> None:
    with throw_away_cluster(tmp_path) as cluster:
        cluster.copy(None, "tried")
        assert cluster.database("tried") != cluster.url
        assert server_cpu(cluster.process) > 0


def test_promise_of_all_pages_is_shown_once() -> None:
    side = {"label": "people", "cpu_seconds": 1.0, "wall_seconds": 1.0, "memory_mb": 100}
    page = {"scenario": "pages", "rows": 9, "repeats": 1, "ratio_of": "cpu", "at_most": 3.0, "memory_at_most_mb": None}
    page |= {"kept": True, "ours": side, "peer": side}
    ratios = {"page home": 1.5, "page people": 2.5, "page run": 2.0}
    made = document([{**page, "title": title, "ratio": ratio} for title, ratio in ratios.items()])
    for shown in (promises_as_markdown(made), as_svg(made)):
        assert "page people, worst of 3" in shown
        assert ("page home" in shown, "page run" in shown) == (False, False)
    assert [title for title in ratios if f"| {title} |" not in as_markdown(made)] == []


def look_at(results: list[dict[str, Any]]) -> None:
    assert results
    for result in results:
        sides = [side for side in (result["ours"], result["peer"]) if side]
        assert min(side["cpu_seconds"] for side in sides) > 0, result
        assert min(side["memory_mb"] for side in sides) > 0, result
        assert (result["ratio"] is None) == (result["peer"] is None)


def test_repeats_count_for_both(tmp_path: Path) -> None:
    (result,) = measured(tmp_path, "help", repeats=3)
    assert [len(result[side]["every_cpu_seconds"]) for side in ("ours", "peer")] == [3, 3]
    assert result["repeats"] == 3


@pytest.mark.night
def test_reference_replaces_the_script(tmp_path: Path) -> None:
    script = tmp_path / "other.py"
    script.write_text("print(sum(range(300000)))")
    results = measured(tmp_path, "plan", "--reference", str(script))
    look_at(results)
    assert [result["peer"]["label"] for result in results] == ["other.py", "DuckDB count(*)"]


def test_script_counts_as_plan_does(tmp_path: Path) -> None:
    digests(tmp_path)
    plan, script = (answer(name, tmp_path, *more) for name, *more in (("plan_steps", "512"), ("plain_script",)))
    assert script["failed"] > 60
    assert {action: plan[action] for action in script} == script


def answer(name: str, *words: object) -> dict[str, int]:
    command = [sys.executable, "-m", f"sis_sync.bench.work.{name}", *map(str, words)]
    counts: dict[str, int] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return counts


@pytest.mark.night
def test_resume_keeps_earlier_figures(tmp_path: Path) -> None:
    (first,) = measured(tmp_path, "help")
    results = measured(tmp_path, "help", "results", "--resume")
    look_at(results)
    assert results[0] == first
    assert [result["name"] for result in results] == ["help", "results"]
    assert bench(tmp_path, "help", "--resume").returncode == 2


def test_unknown_scenario_is_refused(tmp_path: Path) -> None:
    ran = bench(tmp_path, "writing")
    assert ran.returncode == 2
    assert "reading" in ran.stderr


def digests(folder: Path) -> dict[str, str]:
    command = [sys.executable, "-m", "sis_sync.bench.work.make_files", str(folder), "5000"]
    assert subprocess.run(command, capture_output=True).returncode == 0
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.csv")}


def test_same_rows_give_same_bytes(tmp_path: Path) -> None:
    first, second = digests(tmp_path / "first"), digests(tmp_path / "second")
    assert first == second
    assert len(set(first.values())) == 5


def test_files_contain_promised_shares(tmp_path: Path) -> None:
    digests(tmp_path)
    accounts, first, roster = (
        (tmp_path / f"{name}.csv").read_text(encoding="utf-8").splitlines() for name in ("accounts", "first", "roster")
    )
    bad = set(first) - set(accounts)
    assert 60 < len(bad) < 140  # 2 % of 5000
    changed = set(roster) ^ set(first)
    assert 15 < len(changed) < 80  # of 25 people, those with another school count twice
