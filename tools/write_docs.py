"""Write the parts of the docs that are generated from the code, such as commands, fields and finding codes.

A part is between `<!-- made by tools/write_docs.py: NAME -->` and `<!-- end -->`. With --check, write nothing, print
the pages that are out of date, and exit with 1 if there are any.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import measure_suggest
from markdown_it import MarkdownIt

from sis_sync.bench.report import as_markdown, as_svg, promises_as_markdown
from sis_sync.cli.main import cli
from sis_sync.client.setting_keys import BACKEND_KEYS, CLIENT_KEYS, SECTION_MODES, Key, section_keys
from sis_sync.core.environment import SERVER_VARIABLES, SPARK_VARIABLES, Variable
from sis_sync.core.fields import FIELDS, LISTED_VALUES
from sis_sync.core.findings import DECIDED_BY_FILE, FINDING_CODES
from sis_sync.core.guards import GUARDS
from sis_sync.core.modes import MODES
from sis_sync.core.refusals import REFUSAL_CODES
from sis_sync.steps.map.mapper_lines import preset_names
from sis_sync.steps.report import RESULTS_COLUMNS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
HELP_WIDTH = 110
HELP = ROOT / "src/sis_sync/server/web/templates/web/help/approve.html"
HELP_TEMPLATE = """\
{% extends "web/base.html" %}
{% block title %}Help: approving a sync run{% endblock %}
{% block crumbs %}<li class="breadcrumb-item"><a href="{% url 'web:pending' %}">Pending Approval</a></li>\
<li class="breadcrumb-item active" aria-current="page">Help</li>{% endblock %}
{% block main %}<div class="prose">{% verbatim %}
TEXT{% endverbatim %}</div>{% endblock %}
"""
# A table that is too wide for a phone scrolls by itself. Its first header is its name for screen readers.
FIRST_HEADER = re.compile(r"<table>(?=\s*<thead>\s*<tr>\s*<th>(.*?)</th>)")
SCROLLED = r'<div class="scroll" role="region" tabindex="0" aria-label="Table: \1"><table class="table">'
TAGS_OF_HELP: dict[str, str] = {
    "<h1>": '<h1 tabindex="-1">',
    "</table>": "</table></div>",
    "<th>": '<th scope="col">',
}
PART = re.compile(r"(<!-- made by tools/write_docs\.py: (?P<name>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(headers: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table. Escape bars in cells."""
    lines = [headers, tuple("---" for _ in headers), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def commands() -> str:
    """Return the help of every command."""
    blocks = (f"### `{path}`\n\n```text\n{text}\n```" for path, text in help_of(cli, "sis-sync", None))
    return "\n\n".join(blocks)


def help_of(command: click.Command, name: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    """Yield the path and help of a command and of its subcommands."""
    settings = {**command.context_settings, "max_content_width": HELP_WIDTH, "terminal_width": HELP_WIDTH}
    context = click.Context(command, info_name=name, parent=parent, **settings)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for child_name in command.list_commands(context):
            child = command.get_command(context, child_name)
            if child is not None and not child.hidden:
                yield from help_of(child, child_name, context)


def fields() -> str:
    """Return the fields with their length limits and allowed values."""
    rows = [
        (
            f"`{field.name}`",
            "yes" if field.is_required else "no",
            ", ".join(LISTED_VALUES.get(field.name, ())) or limit_of(field.max_length),
            ", ".join(f"`{alias}`" for alias in field.aliases),
            field.about,
        )
        for field in FIELDS
    ]
    return table(("Field", "Needs a value", "Values", "Other headers", "Rules"), rows)


def limit_of(max_length: int | None) -> str:
    """Return the limit of a text in words."""
    return f"text, at most {max_length} characters" if max_length else "text"


def findings() -> str:
    """Return every finding code with its message."""
    rows = [
        (
            f"`{code.code}`",
            code.severity,
            code.message.replace("{value}", "…").replace("{other}", "…"),
            code.fix,
            "the file" if code.code in DECIDED_BY_FILE else "the accounts",
        )
        for code in FINDING_CODES.values()
    ]
    return table(("Code", "Severity", "Message", "What to do", "Decided by"), rows)


def refusals() -> str:
    """Return every code of a refused file."""
    rows = [(f"`{code.code}`", code.when, code.remedy) for code in REFUSAL_CODES.values()]
    return table(("Code", "When", "What to do"), rows)


def guards() -> str:
    """Return every guard with its usual reason. Guards with the same reason share a row."""
    codes: dict[str, list[str]] = {}
    for guard in GUARDS:
        codes.setdefault(guard.usual_reason, []).append(f"`{guard.code}`")
    reasons = {reason: reason.replace("&", "&amp;") for reason in codes}  # Markdown reads &#39; as an apostrophe
    return table(("Guard", "Usually means"), [(", ".join(each), reasons[reason]) for reason, each in codes.items()])


def results_columns() -> str:
    """Return the columns of the results file."""
    return f"```csv\n{','.join(RESULTS_COLUMNS)}\n```"


def modes() -> str:
    """Return the four modes, the user types that each manages, and the effect on people who are not in the file."""
    rows = [(f"`{mode.name}`", ", ".join(mode.user_types), mode.consequence) for mode in MODES.values()]
    return table(("Mode", "User types in the file", "What it does"), rows)


def client_keys() -> str:
    """Return every key of client.properties. List the keys of a section only once, because all sections share them."""
    general = key_table((*BACKEND_KEYS, *CLIENT_KEYS))
    widest = max(SECTION_MODES, key=lambda mode: len(section_keys(mode)))
    sections = key_table(section_keys(widest)).replace(f"`{widest.settings_prefix}.", "`SECTION.")
    names = table(("SECTION", "Mode"), [(f"`{mode.settings_prefix}`", mode.name) for mode in SECTION_MODES])
    own = "and `SECTION.file.encoding` and so on, which come before those of the mapping and of the client."
    own += " A file of `partial.sync` has no maximum age."
    return f"{general}\n\nThe watched sections:\n\n{names}\n\nEach has these keys, {own}\n\n{sections}"


def key_table(keys: tuple[Key, ...]) -> str:
    """Return the keys with their defaults."""
    return table(("Key", "Default", "Means"), [(f"`{key.name}`", key.default or "none", key.about) for key in keys])


def server_variables() -> str:
    """Return every environment variable of the server."""
    return variable_table(SERVER_VARIABLES)


def spark_variables() -> str:
    """Return every environment variable that configures Spark."""
    return variable_table(SPARK_VARIABLES)


def variable_table(variables: tuple[Variable, ...]) -> str:
    """Return the environment variables with their defaults."""
    rows = [(f"`{variable.name}`", variable.default, variable.about) for variable in variables]
    return table(("Variable", "Default", "Means"), rows)


def presets() -> str:
    """Return the names of the built-in presets."""
    return "\n".join(f"- `{name}`" for name in preset_names())


def suggested() -> str:
    """Return how many of the ten fields `mapper suggest` finds in each header row of tests/data/headers."""
    return measure_suggest.table(measure_suggest.measure(measure_suggest.HEADERS))


def session() -> str:
    """Run the command of the README and return its output."""
    return console(
        "plan SAMPLE/students-cut.csv --mode students", "--orgs SAMPLE/orgs.csv --accounts SAMPLE/accounts.csv"
    )


def raw_export() -> str:
    """Return the sample of a raw export."""
    return f"```text\n{(DOCS / 'sample' / 'export.csv').read_text(encoding='utf-8').strip()}\n```"


def raw_suggested() -> str:
    """Run `mapper suggest` on the raw export and return its output."""
    return console("mapper suggest SAMPLE/export.csv")


def raw_mapping() -> str:
    """Return the mapping of the raw export."""
    return f"```properties\n{(DOCS / 'sample' / 'harbour.properties').read_text(encoding='utf-8').strip()}\n```"


def raw_planned() -> str:
    """Plan the raw export with its mapping and return the output."""
    files = "--orgs SAMPLE/orgs.csv --accounts SAMPLE/accounts.csv"
    return console("plan SAMPLE/export.csv --mode partial", f"{files} --mapping SAMPLE/harbour.properties")


def console(*words: str) -> str:
    """Run a command and return it with its output. SAMPLE stands for the folder of the sample files."""
    lines = [part.replace("SAMPLE", (DOCS.relative_to(ROOT) / "sample").as_posix()) for part in words]
    program = Path(sys.executable).with_name("sis-sync")
    ran = subprocess.run([program, *" ".join(lines).split()], cwd=ROOT, capture_output=True, text=True)
    shown = " \\\n    ".join(lines)
    return f"```console\n$ sis-sync {shown}\n{ran.stdout.strip()}\n```"


def measured() -> dict[str, Any]:
    """Return the document that `sis-sync bench` wrote."""
    document: dict[str, Any] = json.loads((DOCS / "performance.json").read_text(encoding="utf-8"))
    return document


def promises() -> str:
    """Return what is promised and what `sis-sync bench` measured."""
    return promises_as_markdown(measured())


def performance() -> str:
    """Return all figures of `sis-sync bench`."""
    return as_markdown(measured())


PICTURES: dict[str, Callable[[], str]] = {"pictures/performance.svg": lambda: as_svg(measured())}


PARTS: dict[str, Callable[[], str]] = {
    part.__name__: part
    for part in (
        *(commands, fields, refusals, findings, guards, results_columns),
        *(
            modes,
            client_keys,
            server_variables,
            spark_variables,
            presets,
            suggested,
            session,
            raw_export,
            raw_suggested,
            raw_mapping,
            raw_planned,
            promises,
            performance,
        ),
    )
}


def renewed(text: str) -> str:
    """Return the page with its parts updated. Raise KeyError for an unknown part."""
    return PART.sub(lambda found: f"{found[1]}\n{PARTS[found['name']]()}\n\n{found[3]}", text)


def as_template(page: str) -> str:
    """Return a page of the docs as a template: the help of the page on which a manager decides, which needs no picture.

    The text is between tags that keep Django from reading it.
    """
    text = re.sub(r"^(!\[.*|<!--.*)\n", "", page, flags=re.MULTILINE)
    html = MarkdownIt("commonmark").enable("table").render(text)
    html = FIRST_HEADER.sub(SCROLLED, html)
    for plain, ours in TAGS_OF_HELP.items():
        html = html.replace(plain, ours)
    return HELP_TEMPLATE.replace("TEXT", html)


def main() -> int:
    """Write the pages. With --check, only compare them, and return 1 if a page is out of date."""
    is_check = "--check" in sys.argv[1:]
    outdated = []
    pages = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
    made = {page: renewed(page.read_text(encoding="utf-8")) for page in pages}
    made |= {DOCS / name: draw() for name, draw in PICTURES.items()}
    made[HELP] = as_template(made[DOCS / "approve.md"])
    for page, new in made.items():
        if not page.is_file() or page.read_text(encoding="utf-8") != new:
            outdated.append(page.relative_to(ROOT))
            if not is_check:
                page.write_text(new, encoding="utf-8")
    for page in outdated:
        print(f"{page} {'is out of date: run make docs' if is_check else 'written'}")
    return 1 if is_check and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
