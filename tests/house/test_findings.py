"""Every finding code is seen in a conformance case."""

import re

from house.tracked import ROOT

from sis_sync.core.findings import FINDING_CODES

CODE = re.compile(r"[a-z_]+\.[a-z_]+")


def test_every_code_has_a_case() -> None:
    expected = [path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "cases").glob("*/expected.*")]
    # Only a manager of a server can ask for creates and updates only.
    expected.append((ROOT / "tests" / "server" / "test_decide.py").read_text(encoding="utf-8"))
    seen = {code for text in expected for code in CODE.findall(text)}
    assert [code for code in FINDING_CODES if code not in seen] == []
