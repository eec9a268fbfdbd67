"""The tree: grain of the modules, no circle of imports, the order of the steps in one module."""

import ast
import re
from pathlib import Path

import grimp
from house.small_modules import MOST_SMALL_MODULES, SMALL_MODULES
from house.tracked import ROOT, tracked_files

SOURCE = ROOT / "src" / "sis_sync"
SMALL_LINES = 60
TINY_HELPER_LINES = 5
# May only shrink: private functions of at most TINY_HELPER_LINES that one caller uses.
MOST_TINY_HELPERS = 114
STEP_FUNCTIONS = {"read", "map_records", "load_directory", "validate", "make_plan", "guard"}
KNOWS_THE_ORDER = {"steps/pipeline.py"}


def modules() -> list[Path]:
    """Python modules with code of their own: no package docstring, no migration."""
    found = tracked_files("src/sis_sync/*.py")
    return [path for path in found if "migrations" not in path.parts and lines_of(path) > 2]


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def test_small_modules_have_reason() -> None:
    small = {name_of(path) for path in modules() if lines_of(path) < SMALL_LINES}
    assert small - set(SMALL_MODULES) == set(), "merge it into its neighbour, or write down why it is small"
    assert set(SMALL_MODULES) - small == set(), "no longer small: take it off the list"
    assert len(SMALL_MODULES) <= MOST_SMALL_MODULES


def test_tiny_helpers_only_shrink() -> None:
    tiny = sorted(name for path in modules() for name in tiny_helpers(path))
    assert len(tiny) <= MOST_TINY_HELPERS, tiny


def tiny_helpers(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    found = []
    for node in ast.parse(text).body:
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("_") or node.decorator_list:
            continue
        first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
        body = (node.end_lineno or 0) - first.lineno + 1
        if body <= TINY_HELPER_LINES and len(re.findall(rf"\b{node.name}\b", text)) == 2:
            found.append(f"{name_of(path)}:{node.name}")
    return found


def test_no_circle_of_modules() -> None:
    graph = grimp.build_graph("sis_sync", exclude_type_checking_imports=True)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    while leaves := {module for module, others in imports.items() if not others & imports.keys() - {module}}:
        for module in leaves:
            del imports[module]
    assert sorted(imports) == [], "these modules import one another, or a module that does"


def test_one_module_knows_order() -> None:
    calls_two = set()
    for path in modules():
        imported = {
            name.name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sis_sync.steps")
            for name in node.names
        }
        if len(imported & STEP_FUNCTIONS) > 1:
            calls_two.add(name_of(path))
    assert calls_two == KNOWS_THE_ORDER
