#!/usr/bin/env python
"""Run what a change touches, in under a minute: style, imports, types, and the nearest tests first.

Changed is what differs from HEAD, or from the revision in the first argument, with untracked files. A test file is near
if it changed itself, then if it imports a changed module, then if it imports one that imports it, and so on.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
SECONDS = 55


def changed_files(revision: str) -> set[Path]:
    """Return the changed files that are still there."""
    commands = (["git", "diff", "--name-only", revision], ["git", "ls-files", "--others", "--exclude-standard"])
    listed = "".join(subprocess.check_output(command, cwd=ROOT, text=True) for command in commands)
    return {ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()}


def module_of(path: Path) -> str:
    """Return the dotted name; a .sql file belongs to the first module of its folder that has the folder's name."""
    if path.suffix != ".py":
        path = path.parent / f"{path.parent.name}.py"
    return ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")


def nearest_tests(changed: set[Path]) -> list[Path]:
    """Return the test files that reach a changed module by imports, the nearest first."""
    tests = sorted((ROOT / "tests").rglob("test_*.py"))
    graph = grimp.build_graph("sis_sync")
    wave = {module_of(path) for path in changed if path.is_relative_to(ROOT / "src")} & graph.modules
    found = [path for path in tests if path in changed]
    seen = set(wave)
    while wave:
        found += [path for path in tests if path not in found and imports_any(path, wave)]
        wave = set().union(*(graph.find_modules_that_directly_import(module) for module in wave)) - seen
        seen |= wave
    return found


def imports_any(path: Path, modules: set[str]) -> bool:
    """True if the file names one of the modules in an import."""
    text = path.read_text(encoding="utf-8")
    return any(f"from {module} import" in text or f'"{module}' in text for module in modules)


def main() -> int:
    """Run the checks one after the other. Return 1 if one failed."""
    began = time.monotonic()
    os.environ["SIS_SYNC_DATA_FOLDER"] = str(ROOT / ".mypy_cache" / "data")
    checks = [["ruff", "check", "--quiet"], ["ruff", "format", "--check", "--quiet"]]
    checks += [["lint-imports", "--no-cache", "--no-logo"], ["mypy"]]
    processes = [(check, subprocess.Popen(check, cwd=ROOT)) for check in checks]
    tests = nearest_tests(changed_files(sys.argv[1] if len(sys.argv) > 1 else "HEAD"))
    failed = [check[0] for check, process in processes if process.wait()]
    if tests:
        left = max(5, SECONDS - int(time.monotonic() - began))
        options = ["-q", "-p", "no:randomly", "-m", "not night", "--within", str(left), "--numprocesses=auto"]
        names = [str(path.relative_to(ROOT)) for path in tests]
        if subprocess.run([sys.executable, "-m", "pytest", *options, *names], cwd=ROOT, check=False).returncode:
            failed.append("tests")
    if failed:
        sys.stderr.write(f"Failed: {', '.join(failed)}\n")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
