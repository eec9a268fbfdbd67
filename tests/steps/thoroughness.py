"""How much is tried where a rule holds for all inputs: SIS_SYNC_TEST_TIMES=100 tries a hundred times as much."""

import os

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("SIS_SYNC_TEST_TIMES", "1"))
IS_THOROUGH = TIMES > 1


def examples(count: int) -> settings:
    """So many random inputs, or TIMES as many; no time limit."""
    return settings(max_examples=count * TIMES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
