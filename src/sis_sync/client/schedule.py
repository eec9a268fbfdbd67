"""The schedule of a section: take files on arrival, or at times of day in the computer's time zone."""

import re
from datetime import datetime, time, timedelta

ON_ARRIVAL: tuple[time, ...] = ()
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


def parse_schedule(text: str) -> tuple[time, ...]:
    """Return the sorted times of day, or () for "on arrival". Raise ValueError with the correct form."""
    if text.lower() == "on arrival":
        return ON_ARRIVAL
    found = [_TIME.fullmatch(part.strip()) for part in text.split(",")]
    times = {time(int(each[1]), int(each[2])) for each in found if each}
    if len(times) != len(found):
        raise ValueError("Write on arrival, or times of day such as 06:30,18:30, each once.")
    return tuple(sorted(times))


def is_due(schedule: tuple[time, ...], *, served_at: datetime, now: datetime) -> bool:
    """Return True on arrival, or if one of the times has passed since `served_at`."""
    if schedule == ON_ARRIVAL:
        return True
    today = now.astimezone().date()
    # Two days are enough: each time of day occurs again within 24 hours.
    moments = [
        datetime.combine(day, each).astimezone() for day in (today - timedelta(days=1), today) for each in schedule
    ]
    return any(served_at < moment <= now for moment in moments)
