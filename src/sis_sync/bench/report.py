"""The report of a benchmark: JSON with figures, machine and versions, and the tables and the picture made from it."""

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from xml.sax.saxutils import escape

PACKAGES = ("sis-sync", "duckdb", "numpy", "Django", "psycopg", "django-import-export", "pandas", "SQLAlchemy")
HEADERS = ("Scenario", "Rows", "n", "CPU s", "Wall s", "Peak MB", "Next to", "Its CPU s", "Ratio", "Promised", "Kept")
OF_PROMISES = ("Scenario", "Rows", "Next to", "Ratio", "Promised", "Peak MB", "Kept")
# Sizes in the picture, in pixels.
WIDTH, ROW, TOP = 960, 34, 44
NAMES_END, BAR_START, PROMISE_AT = 350, 362, 662  # the promised length is PROMISE_AT - BAR_START
LONGEST = 1.4  # a longer bar is cut off there, and its figure says how long it would be
KEPT, MISSED, INK, QUIET = "#0a7c4a", "#b45309", "#1f2937", "#6b7280"
FONT = "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"


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
    unit = " of wall time" if result["ratio_of"] == "wall" else ""
    promised = [] if result["at_most"] is None else [f"{_ratio(result['at_most'])}{unit}"]
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
    """Return the table of all figures as Markdown."""
    return _table([HEADERS, *rows_of(made)])


def promises_as_markdown(made: dict[str, Any]) -> str:
    """Return the table of what is promised, and the sentence, as Markdown."""
    columns = [HEADERS.index(name) for name in OF_PROMISES]
    rows = [HEADERS, *map(_row, _promised(made))]
    return f"{_table([tuple(row[column] for column in columns) for row in rows])}\n\n{where(made)}"


def _promised(made: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the results with a promise. The pages share one, so of them return only the one with the highest ratio."""
    promised = [result for result in made["results"] if result["at_most"] is not None]
    pages = [result for result in promised if result["scenario"] == "pages"]
    if not pages:
        return promised
    worst = max(pages, key=lambda page: float(page["ratio"]))
    shown = {**worst, "title": f"{worst['title']}, worst of {len(pages)}"}
    return [*(result for result in promised if result not in pages), shown]


def _table(rows: list[tuple[str, ...]]) -> str:
    lines = [rows[0], tuple("---" for _ in rows[0]), *rows[1:]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def as_svg(made: dict[str, Any]) -> str:
    """Return an SVG picture. Each promise is a bar: the measured ratio as a share of the promised one."""
    promised = _promised(made)
    height = TOP + ROW * len(promised) + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" font-family="{FONT}" '
        'font-size="13">',
        "<title>What is promised and what was measured</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{PROMISE_AT}" y="24" text-anchor="middle" fill="{QUIET}">promised at most</text>',
        *(line for number, result in enumerate(promised) for line in _bar(result, TOP + ROW * number)),
        f'<path d="M{PROMISE_AT} 32V{height - 8}" stroke="{QUIET}" stroke-dasharray="4 3"/>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _bar(result: dict[str, Any], top: int) -> list[str]:
    share = result["ratio"] / result["at_most"]
    length = round(min(share, LONGEST) * (PROMISE_AT - BAR_START))
    colour = KEPT if share <= 1 else MISSED
    middle = top + 20
    figure = f"{_ratio(result['ratio'])} of {_ratio(result['at_most'])}"
    name = f"{result['title']}, {result['rows']:,}" if result["rows"] else result["title"]
    return [
        f'<text x="{NAMES_END}" y="{middle - 3}" text-anchor="end" fill="{INK}">{escape(name)}</text>',
        f'<text x="{NAMES_END}" y="{middle + 10}" text-anchor="end" fill="{QUIET}" font-size="10">'
        f"next to {escape(result['peer']['label'])}</text>",
        f'<rect x="{BAR_START}" y="{top + 7}" width="{length}" height="17" rx="2" fill="{colour}"/>',
        f'<text x="{max(BAR_START + length, PROMISE_AT) + 10}" y="{middle}" fill="{INK}">{figure}</text>',
    ]
