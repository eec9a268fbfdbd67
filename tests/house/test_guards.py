"""The folder of guards: a rule for each guard of the table, and no other."""

from importlib import resources

from sis_sync.core.guards import GUARDS

BASE = "base"  # the tables that all guards read


def test_each_guard_has_its_rule() -> None:
    folder = resources.files("sis_sync.steps.guard")
    rules = {file.name.removesuffix(".sql") for file in folder.iterdir() if file.name.endswith(".sql")}
    assert rules - {BASE} == {guard.name for guard in GUARDS}
