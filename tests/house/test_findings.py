"""Every finding code is seen in a conformance case."""

import re

from house.tracked import ROOT

from sis_sync.core.fields import NAME_FIELDS
from sis_sync.core.findings import FINDING_CODES
from sis_sync.core.modes import OTHER_FIELDS

CODE = re.compile(r"[a-z_]+\.[a-z_]+")


def test_every_code_has_a_case() -> None:
    expected = [path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "cases").glob("*/expected.*")]
    # Only a manager of a server can ask for creates and updates only.
    expected.append((ROOT / "tests" / "server" / "test_decide.py").read_text(encoding="utf-8"))
    seen = {code for text in expected for code in CODE.findall(text)}
    # Only a server has field settings: tests/steps/test_field_settings.py and the model of the rules prove them.
    seen |= {f"{name}.kept" for name in (*NAME_FIELDS, *OTHER_FIELDS)}
    assert [code for code in FINDING_CODES if code not in seen] == []
