"""When `watch` takes the files of a section: on arrival, or from certain times of day on."""

import re
from datetime import datetime, time, timedelta

ON_ARRIVAL: tuple[time, ...] = ()
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


def parse_schedule(text: str) -> tuple[time, ...]:
    """The times of day, sorted; none for "on arrival". ValueError says what would be right."""
    if text.lower() == "on arrival":
        return ON_ARRIVAL
    found = [_TIME.fullmatch(part.strip()) for part in text.split(",")]
    times = {time(int(each[1]), int(each[2])) for each in found if each}
    if len(times) != len(found):
        raise ValueError("Write on arrival, or times of day such as 06:30,18:30, each once.")
    return tuple(sorted(times))


def is_due(schedule: tuple[time, ...], *, served_at: datetime, now: datetime) -> bool:
    """Whether a time of the schedule, in the computer's zone, lies after `served_at` and not after `now`."""
    if schedule == ON_ARRIVAL:
        return True
    return any(served_at < moment <= now for moment in _moments(schedule, now))


def _moments(schedule: tuple[time, ...], now: datetime) -> list[datetime]:
    """Yesterday's and today's times: older ones were followed by these."""
    today = now.astimezone().date()
    days = (today - timedelta(days=1), today)
    return [datetime.combine(day, each).astimezone() for day in days for each in schedule]
