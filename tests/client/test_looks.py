"""Looking at a run again: rarely enough for the server, and as long as the server asks."""

from datetime import UTC, datetime, timedelta

import pytest
from client.conftest import DANA, District, roster

from sis_sync.client.responses import Answer, TryLater, error_of
from sis_sync.client.retry import Clock, look_until

START = datetime(2026, 9, 1, tzinfo=UTC)


class Looks:
    """A run that ends at the last of these answers, and the pauses between them."""

    def __init__(self, *answers: str | TryLater) -> None:
        self.answers, self.pauses = list(answers), list[float]()

    def look(self) -> str:
        answer = self.answers.pop(0)
        if isinstance(answer, TryLater):
            raise answer
        return answer

    def pause(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        return False

    def until_over(self, seconds: float) -> str:
        clock = Clock(now=lambda: START + timedelta(seconds=sum(self.pauses)), pause=self.pause)
        return look_until(
            self.look, is_over=lambda found: found == "applied", first="received", seconds=seconds, clock=clock
        )


def refusal(status: int, seconds: int) -> TryLater:
    body = b'{"title": "Too many calls", "detail": "The key may make 60 calls a minute."}'
    error = error_of(Answer(status, {"retry-after": str(seconds)}, body), now=START)
    assert isinstance(error, TryLater)
    assert error.message == "The key may make 60 calls a minute."
    return error


def test_looks_become_rarer() -> None:
    looks = Looks(*["checking"] * 40, "applied")
    assert looks.until_over(600) == "applied"
    assert looks.pauses[:3] == [0.5, 1.0, 1.5]
    assert len([pause for pause in looks.pauses if pause < 5]) == 9
    assert max(looks.pauses) == 5.0


def test_too_many_calls_are_waited_for() -> None:
    looks = Looks(refusal(429, 40), "checking", refusal(429, 0), "applied")
    assert looks.until_over(600) == "applied"
    assert looks.pauses == [0.5, 40.0, 1.5, 2.0]


def test_no_time_left_to_wait_returns_what_was_found() -> None:
    looks = Looks("checking", refusal(429, 40))
    assert looks.until_over(30) == "checking"


def test_server_that_stays_away_is_an_error() -> None:
    with pytest.raises(TryLater):
        Looks("checking", refusal(503, 40)).until_over(30)


def test_every_run_is_looked_at(district: District) -> None:
    district.server.state = "waiting"
    for number in range(5):
        district.export(f"{number}.csv", roster(DANA.replace("T1", f"T{number}")))
    district.run()
    seen = set[str]()
    for _ in range(3):
        district.server.looks_left = 2
        district.server.looked_at.clear()
        district.run()
        assert len(district.server.looked_at) == 2
        seen.update(district.server.looked_at)
    assert seen == {"1", "2", "3", "4", "5"}
