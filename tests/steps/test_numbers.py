"""Numbers in messages: a part is never shown as all or none, and nouns agree with their number."""

import pytest

from sis_sync.core.guards import GUARDS, Guard
from sis_sync.core.wording import Count, percent


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (30_009, 30_020, "more than 99.9 %"),
        (30_020, 30_020, "100.0 %"),
        (1, 30_020, "less than 0.1 %"),
        (0, 30_020, "0.0 %"),
        (1, 40, "2.5 %"),
        (3, 2, "150.0 %"),
        (0, 0, ""),
    ],
)
def test_share_never_rounds_to_all(part: int, whole: int, said: str) -> None:
    assert percent(part, whole) == said


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.code)
def test_guard_message_in_singular(guard: Guard) -> None:
    holes = {"subject": "at N1", "percent": "2.5 %", "limit": "10 %"}
    one = guard.message.format(count=Count(1), base=Count(1), **holes)
    assert "|" not in one
    assert not any(f"1 {many}" in one for many in ("accounts", "rows", "failed rows", "people"))


def test_drip_message_says_would() -> None:
    drip = next(guard for guard in GUARDS if guard.code == "guard.drip")
    said = drip.message.format(subject="", count=Count(29_999), base=Count(30_020), percent="x", limit="15 %")
    assert " ".join(said.split()).startswith("With this run, 29,999 accounts would have left within 7 days: ")
