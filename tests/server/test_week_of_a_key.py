"""No sequence of files that upload keys can send in a week, with no one approving, takes many people away.

The limits are those of the rules: 15 % leave, 25 % arrive, 5 % change one of address, names, org and user type; of
fewer than 20 people 4 of each, and no more than half leave. 20 people who have an account get a password, none of them
a manager. They hold in any 7 days, for all keys and modes together, whatever the field settings are.
"""

from datetime import datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kit.plans import TIMES, examples
from kit.weeks import DEEDS, MANAGER, OWN_DEEDS, File, Moment, Weeks, district_of_people, is_newcomer
from pytest_django.fixtures import Settings

WEEK = timedelta(days=7)
MODES = ("partial", "full", "students", "staff")
# Around every limit of districts of these sizes. The largest one takes seconds a file.
SIZES = (3, 4, 8, 19, 20, 21, 40, 99, 400, *([2_000] if TIMES > 1 else []))
NUMBERS = (1, 2, 3, 4, 5, 6, 10, 15, 19, 20, 21, 40, 49, 50, 60, 100, *([101, 299, 301, 501] if TIMES > 1 else []))
SMALL = 20
SAME = {
    "address": ("email",),
    "names": ("first_name", "middle_name", "last_name"),
    "type": ("user_type",),
    "org": ("school_district_external_id",),
}

files = st.builds(
    File, st.sampled_from((*DEEDS, *OWN_DEEDS)), st.sampled_from(NUMBERS), st.sampled_from(MODES), st.integers(0, 60)
)
files_of_keys = st.tuples(files, st.booleans()).map(lambda pair: File(**{**vars(pair[0]), "by_school": pair[1]}))
field = st.sampled_from(("on", "on", "off", "create"))
mode_settings = st.fixed_dictionaries(
    {
        "on_absent": st.sampled_from(("delete", "delete", "disable", "nothing")),
        "creates_disabled": st.sampled_from((False, False, True)),
        "sets_names": st.sampled_from(("unless_edited", "always", "never")),
        "sets_email": field,
        "sets_school_district_external_id": field,
        "sets_user_type": field,
        "sets_status": field,
    }
)


def check(weeks: Weeks) -> None:
    """Compare all moments that are less than 7 days apart, each pair with the bases of the files between the two."""
    for first, last in combinations(range(len(weeks.moments)), 2):
        one, other = weeks.moments[first], weeks.moments[last]
        if other.at - one.at < WEEK:
            bases = [_base(weeks.moments, each.at) for each in weeks.moments[first + 1 : last + 1]]
            _compare(one, other, max(bases), (weeks.sent, one.at, other.at))


def _base(moments: list[Moment], at: datetime) -> int:
    """Return how many were Active 7 days before, or at the start. Whoever has come since is in no base."""
    before = [each for each in moments if each.at <= at - WEEK] or moments[:1]
    return len(before[-1].with_status("Active"))


def _compare(one: Moment, other: Moment, size: int, told: object) -> None:
    before, after = one.people, other.people
    lost = one.with_status("Active") - other.with_status("Active")
    assert len(lost) <= _most(size, 15, 4), (size, len(lost), told)
    assert size >= SMALL or len(lost) * 2 <= size, (size, len(lost), told)
    live = one.with_status("Active", "Disabled")
    arrived = other.with_status("Active", "Disabled") - live
    assert len(arrived) <= _most(size, 25, 49), (size, len(arrived), told)
    woken = one.with_status("Disabled") & other.with_status("Active")
    assert len(woken) <= _most(size, 5, 4), (size, len(woken), told)
    for names in SAME.values():
        changed = [each for each in live if any(after[each][name] != before[each][name] for name in names)]
        assert len(changed) <= _most(size, 5, 19), (size, names, len(changed), told)
    new = {each for each, password in other.passwords.items() if password != one.passwords.get(each, "")}
    assert MANAGER not in new, told
    of_newcomers = set(filter(is_newcomer, new))
    assert len(new - of_newcomers) <= 20, (size, len(new), told)
    assert len(of_newcomers) <= 20, (size, len(of_newcomers), told)
    kept = ("email", "school_district_external_id", "status")
    assert all(after[MANAGER][name] == before[MANAGER][name] for name in kept), told


def _most(size: int, percent: int, least: int) -> int:
    return min(4, least) if size < SMALL else max(size * percent // 100, least)


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


@pytest.mark.both_databases_at_night
@pytest.mark.django_db
@given(size=st.sampled_from(SIZES), sent=st.lists(files, min_size=2, max_size=7))
@example(
    size=40,
    sent=[File("newcomers", 49, "partial", 1), File("disable", 4, "partial", 1), File("disable", 4, "full", 40)],
)
@examples(2, night=2)
def test_key_takes_few_people(size: int, sent: list[File]) -> None:
    send_all(district_of_people(size), sent)


@pytest.mark.night
@pytest.mark.both_databases
@pytest.mark.django_db
@given(size=st.sampled_from(SIZES), sent=st.lists(files_of_keys, min_size=3, max_size=9), values=mode_settings)
@examples(2, night=2)
def test_keys_together_take_few_people(size: int, sent: list[File], values: dict[str, str | bool]) -> None:
    send_all(district_of_people(size, **values), sent)


def send_all(weeks: Weeks, sent: list[File]) -> None:
    for file in sent:
        weeks.send(file)
    check(weeks)
