"""The table of `make mutants` fits the code: each fault can be planted, and its tests exist."""

import ast
import re
from pathlib import Path

from mutants.faults import ROOT, SOURCE, all_faults

LEAST_FAULTS = 60


def test_faults_fit_code() -> None:
    faults = all_faults()
    assert len(faults) == len({fault.name for fault in faults}) >= LEAST_FAULTS
    for fault in faults:
        right = (ROOT / SOURCE / fault.file).read_text(encoding="utf-8")
        wrong = fault.planted_in(right)
        assert wrong != right, fault.name
        if fault.file.endswith(".py"):
            ast.parse(wrong, fault.name)


def test_faults_name_tests_that_exist() -> None:
    for fault in all_faults():
        assert fault.tests, fault.name
        for test in fault.tests:
            file, _, name = test.partition("::")
            function, _, case = name.partition("[")
            assert re.search(rf"^def {function}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), test
            assert not case or Path(ROOT, "tests", "cases", case.removesuffix("]")).is_dir(), test
