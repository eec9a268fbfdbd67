"""The trees of errors that are drawn at the top of their modules are the trees of the code."""

import re
from types import ModuleType

import pytest

from sis_sync.core import errors
from sis_sync.core.errors import SisSyncError
from sis_sync.server import errors as server_errors

LINE = re.compile(r"^(?P<indent> *)(?P<name>[A-Z]\w+)(?: +(?P<exit_code>\d+) +(?P<http_status>\d+))?$", re.MULTILINE)


@pytest.mark.parametrize("module", [errors, server_errors])
def test_drawn_tree_is_true(module: ModuleType) -> None:
    drawn = list(LINE.finditer(module.__doc__ or ""))
    parents: dict[int, str] = {}
    for line in drawn:
        error, depth = getattr(module, line["name"]), len(line["indent"])
        if depth:
            assert error.__base__.__name__ == parents[depth - 2]
        if line["exit_code"]:
            assert (error.exit_code, error.http_status) == (int(line["exit_code"]), int(line["http_status"]))
        parents[depth] = line["name"]
    own = {error for error in vars(module).values() if isinstance(error, type) and issubclass(error, SisSyncError)}
    assert {getattr(module, line["name"]) for line in drawn} == own
