"""A function fits on a screen, a file in a head: at most 60 lines and 500 lines."""

import ast
from collections.abc import Iterator
from pathlib import Path

from house.tracked import ROOT, tracked_files

FUNCTION_LINES = 60
FILE_LINES = 500
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "lib", "misc"}


def source_files() -> list[Path]:
    """What people write: Python, SQL, templates, scripts and styles, without what was generated or vendored."""
    written = tracked_files("src/*.py", "src/*.sql", "src/*.html", "tests/*.py", "tools/*")
    return [path for path in written if "migrations" not in path.parts and "vendor" not in path.parts]


def functions(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (
                (node.end_lineno or node.lineno) - node.lineno + 1,
                f"{path.relative_to(ROOT)}:{node.lineno} {node.name}",
            )


def test_no_function_is_longer_than_a_screen() -> None:
    python = [path for path in source_files() if path.suffix == ".py"]
    lengths = sorted((found for path in python for found in functions(path)), reverse=True)
    too_long = [f"{length} lines: {where}" for length, where in lengths if length > FUNCTION_LINES]
    assert too_long == [], f"the longest: {lengths[:10]}"


def test_no_file_is_longer_than_a_head_holds() -> None:
    lengths = sorted(
        ((len(path.read_text(encoding="utf-8").splitlines()), str(path.relative_to(ROOT))) for path in source_files()),
        reverse=True,
    )
    too_long = [f"{length} lines: {where}" for length, where in lengths if length > FILE_LINES]
    assert too_long == [], f"the longest: {lengths[:10]}"


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    named = [path for path in tracked_files("src/*", "tests/*", "tools/*") if path.suffix in {".py", ".sql"}]
    drawers = [
        str(path.relative_to(ROOT))
        for path in named
        if FORBIDDEN_NAMES & {path.stem, *path.relative_to(ROOT).parent.parts}
    ]
    assert drawers == []
