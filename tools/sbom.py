"""Write the software bill of materials (CycloneDX 1.6, JSON) to stdout: tools/sbom.py DATE.

It lists the packages in the lock files of client and server, and the vendored files of the web pages. The same commit
and date produce the same bytes. It contains no address of a package index.
"""

import json
import re
import sys
import tomllib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
VENDORED = ROOT / "src/sis_sync/server/web/static/web/vendor/VENDORED.md"
PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+)(?: ; (?P<marker>.+?))? \\$", re.MULTILINE)
VENDORED_PACKAGE = re.compile(
    r"^\| [^|]+ \| npm package `(?P<name>[^`]+)`[^|]* \| (?P<version>\S+) \| (?P<licence>\S+)", re.MULTILINE
)
Component = dict[str, Any]


def bill(date: str) -> dict[str, Any]:
    """Return the document for the version in pyproject.toml. `date` is its release date, YYYY-MM-DD."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    purl = f"pkg:pypi/{project['name']}@{project['version']}"
    components = [*pinned_packages(), *vendored_packages()]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, purl)}",
        "version": 1,
        "metadata": {
            "timestamp": f"{date}T00:00:00Z",
            "component": {
                "type": "application",
                "bom-ref": purl,
                "name": project["name"],
                "version": project["version"],
                "description": project["description"],
                "licenses": [{"license": {"id": project["license"]}}],
                "purl": purl,
            },
        },
        "components": components,
        "dependencies": [{"ref": purl, "dependsOn": [component["bom-ref"] for component in components]}],
    }


def pinned_packages() -> Iterator[Component]:
    """Yield each package in the server's lock file. Mark packages that the client does not need as optional."""
    needed = {found["name"] for found in PIN.finditer(lock_text("client"))}
    for found in PIN.finditer(lock_text("server")):
        component = library("pypi", found["name"], found["version"])
        component["scope"] = "required" if found["name"] in needed else "optional"
        if found["marker"]:
            component["properties"] = [{"name": "sis-sync:environment-marker", "value": found["marker"]}]
        yield component


def vendored_packages() -> Iterator[Component]:
    """Yield each package whose files are vendored in the web pages, once."""
    for found in VENDORED_PACKAGE.finditer(VENDORED.read_text(encoding="utf-8")):
        component = library("npm", found["name"], found["version"])
        yield {**component, "scope": "optional", "licenses": [{"license": {"id": found["licence"]}}]}


def library(kind: str, name: str, version: str) -> Component:
    """Return the fields that every component has."""
    purl = f"pkg:{kind}/{name}@{version}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def lock_text(name: str) -> str:
    """Return the text of requirements/NAME.lock."""
    return (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")


if __name__ == "__main__":
    print(json.dumps(bill(sys.argv[1]), indent=2))
