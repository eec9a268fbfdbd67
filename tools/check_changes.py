#!/usr/bin/env python
"""Check what a change affects, in under a minute: style, imports, types and tests, starting with the nearest tests.

A file has changed if it is untracked or differs from HEAD, or from the revision in the first argument. The nearest
tests are those that changed themselves, then those that import a changed module, then those that import it indirectly.
Tests that take long, such as those of the browser, are left to `make test` if there are others.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
SECONDS = 45  # leaves time for the test that runs then
LEAST_SECONDS = 10  # for the tests, which take five to start, even if the other checks took long


def changed_files(revision: str) -> set[Path]:
    """Return the changed files that still exist."""
    commands = (["git", "diff", "--name-only", revision], ["git", "ls-files", "--others", "--exclude-standard"])
    listed = "".join(subprocess.check_output(command, cwd=ROOT, text=True) for command in commands)
    return {ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()}


def module_of(path: Path) -> str:
    """Return the dotted name of the module. A .sql file belongs to the module that is named after its folder."""
    if path.suffix != ".py":
        path = path.parent / f"{path.parent.name}.py"
    return ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")


def nearest_tests(changed: set[Path]) -> list[Path]:
    """Return the test files that import a changed module, directly or indirectly, nearest first."""
    tests = sorted((ROOT / "tests").rglob("test_*.py"))
    graph = grimp.build_graph("sis_sync")
    wave = {module_of(path) for path in changed if path.is_relative_to(ROOT / "src")} & graph.modules
    found = [path for path in tests if path in changed]
    seen = set(wave)
    while wave:
        found += [path for path in tests if path not in found and imports_any(path, wave)]
        wave = set().union(*(graph.find_modules_that_directly_import(module) for module in wave)) - seen
        seen |= wave
    # Commands import their modules by name when they are called, which no graph of imports shows.
    areas = {path.relative_to(ROOT / "src" / "sis_sync").parts[0] for path in changed if "sis_sync" in path.parts}
    areas |= {"steps", "client"} if "cli" in areas else set()
    areas |= {folder for folder in ("steps", "client", "server") if any("kit" in path.parts for path in changed)}
    areas |= {"steps"} if any("cases" in path.parts for path in changed) else set()
    found += [path for path in tests if path not in found and path.parent.name in areas]
    # A template and a guard have no module of their own: begin with the tests that are named after their folder.
    folders = {f"_{part}" for path in changed if "src" in path.parts for part in path.relative_to(ROOT).parts[3:-1]}
    return sorted(found, key=lambda path: (path not in changed, not any(folder in path.stem for folder in folders)))


def imports_any(path: Path, modules: set[str]) -> bool:
    """Return True if the file imports one of the modules."""
    text = path.read_text(encoding="utf-8")
    return any(f"from {module} import" in text or f'"{module}' in text for module in modules)


def main() -> int:
    """Run the checks one after the other. Return 1 if any of them failed."""
    began = time.time()
    os.environ["PATH"] = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    os.environ["SIS_SYNC_DATA_FOLDER"] = str(ROOT / ".mypy_cache" / "data")
    checks = [["ruff", "check", "--quiet"], ["ruff", "format", "--check", "--quiet"]]
    checks += [["lint-imports", "--no-cache", "--no-logo"], ["mypy"]]
    processes = [(check, subprocess.Popen(check, cwd=ROOT)) for check in checks]
    tests = nearest_tests(changed_files(sys.argv[1] if len(sys.argv) > 1 else "HEAD"))
    failed = [check[0] for check, process in processes if process.wait()]
    if tests:
        until = max(began + SECONDS, time.time() + LEAST_SECONDS)
        options = ["-q", "-p", "no:randomly", "-m", "not night", "--until", str(until), "--numprocesses=auto"]
        names = [str(path.relative_to(ROOT)) for path in tests]
        if subprocess.run([sys.executable, "-m", "pytest", *options, *names], cwd=ROOT, check=False).returncode:
            failed.append("tests")
    else:
        sys.stderr.write("No test imports what changed; `make test` runs all.\n")
    if failed:
        sys.stderr.write(f"Failed: {', '.join(failed)}\n")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
