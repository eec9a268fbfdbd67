"""The states of a run are named once, in core; server, client and command line use the same ones."""

from sis_sync.cli.print_client import STATE_WORDS
from sis_sync.client.responses import RunStatus
from sis_sync.core import run_states
from sis_sync.server.runs.models import Run


def test_each_state_has_one_group() -> None:
    groups = [*run_states.MOVING, *run_states.DECIDABLE, *run_states.ENDED]
    named = {value for name, value in vars(run_states).items() if name.isupper() and isinstance(value, str)}
    assert len(groups) == len(set(groups))
    assert set(groups) == named == set(run_states.ALL)


def test_server_stores_these_states() -> None:
    assert set(Run.State.values) == set(run_states.ALL)


def test_client_has_words_for_each() -> None:
    assert set(STATE_WORDS) == set(run_states.ALL)


def test_run_out_of_date_moves() -> None:
    run = RunStatus("1", "full", run_states.OUT_OF_DATE)
    assert (run.is_moving, run.has_ended) == (True, False)
