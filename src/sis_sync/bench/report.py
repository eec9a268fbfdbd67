"""The report of a benchmark: a JSON document with figures, machine and versions, and tables made from it."""

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = ("sis-sync", "duckdb", "numpy", "Django", "psycopg", "django-import-export", "pandas", "SQLAlchemy")
HEADERS = ("Scenario", "Rows", "n", "CPU s", "Wall s", "Peak MB", "Next to", "Its CPU s", "Ratio", "Promised", "Kept")


def document(results: list[dict[str, Any]], *, now: datetime | None = None) -> dict[str, Any]:
    """Return the document of a benchmark run. `results` contains outcomes as dictionaries."""
    return {
        "date": (now or datetime.now(UTC)).date().isoformat(),
        "machine": machine(),
        "versions": {"Python": platform.python_version(), **_versions()},
        "results": results,
    }


def machine() -> dict[str, Any]:
    """Return the system, processors and memory of this machine, but not its name."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return {"system": f"{sys.platform} {platform.machine()}", "processors": os.cpu_count(), "memory_gb": round(memory)}


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def rows_of(made: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return one row of cells per comparison, in the order of HEADERS."""
    return [_row(result) for result in made["results"]]


def _row(result: dict[str, Any]) -> tuple[str, ...]:
    ours, peer = result["ours"], result["peer"]
    promised = [] if result["at_most"] is None else [_ratio(result["at_most"])]
    if result["memory_at_most_mb"] is not None:
        promised.append(f"{result['memory_at_most_mb']:.0f} MB")
    return (
        result["title"],
        f"{result['rows']:,}",
        str(result["repeats"]),
        f"{ours['cpu_seconds']:.2f}",
        f"{ours['wall_seconds']:.2f}",
        str(ours["memory_mb"]),
        peer["label"] if peer else "",
        f"{peer['cpu_seconds']:.2f}" if peer else "",
        "" if result["ratio"] is None else _ratio(result["ratio"]),
        ", ".join(promised),
        "" if not promised else "yes" if result["kept"] else "no",
    )


def _ratio(value: float) -> str:
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def where(made: dict[str, Any]) -> str:
    """Return a sentence with the machine, the versions and the date."""
    found = made["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in made["versions"].items())
    return (
        f"Measured on {made['date']}: {found['system']}, {found['processors']} processors, "
        f"{found['memory_gb']} GB; {versions}."
    )


def as_text(made: dict[str, Any]) -> str:
    """Return the table and the sentence as plain text."""
    lines = [HEADERS, *rows_of(made)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADERS))]
    drawn = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
    return "\n".join([*drawn, "", where(made)])


def as_markdown(made: dict[str, Any]) -> str:
    """Return the table and the sentence as Markdown."""
    lines = [HEADERS, tuple("---" for _ in HEADERS), *rows_of(made)]
    return "\n".join(["| " + " | ".join(line) + " |" for line in lines] + ["", where(made)])
