"""Rows about someone with an upload key: what it can do, and what it learns."""

import json
import re
from functools import partial
from typing import Any

import httpx
from reliability.limits import passed_limits, people_of
from reliability.people import changed, file_of, newcomers, pupils, teachers
from reliability.rows import Outcome, Row, outcome
from reliability.stage import Sender, Stages
from reliability.tactics import TACTICS, Sent, Tactic

NAMES = re.compile(r"Okafor\d+|\w+@riverbend\.example|\b[PTDG]\d{4}\b")


def week(stages: Stages, *, send: Tactic) -> Outcome:
    """Send the files of a tactic to a new school system and compare its people with those before."""
    stage = stages.shared()
    (system,) = stage.make_systems({})
    before = people_of(stage.scene.ask, system["slug"])
    sender, states = Sender(stage, system["key"]), []
    for sent in send():
        states.append(sender.sync(sent)["state"])
    found = passed_limits(before, people_of(stage.scene.ask, system["slug"]))
    found += [f"a run ended {state}" for state in states if state in ("failed", "checking", "applying")]
    return Outcome(len(states), tuple(found))


LIMITS = Row(
    "limits",
    "One upload key cannot change, add or remove more people in a week than the limits say",
    {name: partial(week, send=send) for name, send in TACTICS.items()},
)


def two_districts(stages: Stages) -> Outcome:
    """Send the same files to a school system with people and to one without. The answers differ in no byte."""
    stage = stages.shared()
    systems = stage.make_systems({}, {"people": False})
    senders = [Sender(stage, system["key"]) for system in systems]
    files = (
        Sent("full", file_of(newcomers(1))),
        Sent("partial", file_of(changed(pupils()[:3], first_name="Ann", last_name="Lee", email="{id}@x.example"))),
        Sent("full", file_of(changed(pupils()[:1], grade="12"))),
        Sent("students", file_of(changed(pupils()[:2], email=teachers()[1]["email"]))),
        Sent("staff", file_of(changed(teachers()[1:4], position="Head"))),
    )
    found = []
    for number, sent in enumerate(files, start=1):
        one, other = (_told(sender, sender.sync(sent)) for sender in senders)
        found += [f"file {number}: {name} differs" for name in one if one[name] != other[name]]
    return Outcome(len(files), tuple(found))


def _told(sender: Sender, run: dict[str, Any]) -> dict[str, Any]:
    """Return all that the key is told about a run, without what may differ: state, guards, and which rows failed."""
    paths = [f"/runs/{run['id']}/{name}.csv" for name in ("results", "failed")]
    reports = [sender.http.get(path).text for path in paths]
    known = {"id", "state", "guards", "counts", "findings", "page", "digest"}
    said = json.dumps({name: value for name, value in run.items() if name not in known and "_at" not in name})
    rows = re.sub(
        r"(taken|failed),", "-,", re.sub(r"row\.ask_a_manager|[^,\n]*only a manager may see[^\n]*", "", reports[0])
    )
    return {"run": re.sub(rf"\b{run['id']}\b", "N", said), "results": rows, "digest": run["digest"]}


def no_names(stages: Stages) -> Outcome:
    """Ask every call for people whom the key did not name itself."""
    stage = stages.shared()
    (system,) = stage.make_systems({})
    sender = Sender(stage, system["key"])
    renamed = changed(pupils()[:3], first_name="Ann", last_name="Lee", email="{id}@x.example")
    files = [Sent("full", file_of(newcomers(1))), Sent("partial", file_of(renamed))]
    runs = [sender.sync(sent)["id"] for sent in files]
    paths = ["/ping", "/runs", *(f"/runs/{run}{part}" for run in runs for part in ("", "/results.csv", "/failed.csv"))]
    named = "".join(sent.text for sent in files)
    told = {path: set(NAMES.findall(sender.http.get(path).text)) for path in paths}
    found = [f"{path} tells {name}" for path, names in told.items() for name in sorted(names) if name not in named]
    return Outcome(len(paths), tuple(found))


LEARNS = Row(
    "learns",
    "A key that may only upload learns nothing about people",
    {"two districts that differ in people": two_districts, "every call": no_names},
)


def many_calls(stages: Stages) -> Outcome:
    """Call more often than a key may. The calls beyond are told when to come again."""
    stage = stages.new(SIS_SYNC_CALLS_A_MINUTE="60")
    (system,) = stage.make_systems({"people": False})
    stage.start()
    sender = Sender(stage, system["key"])
    answers = [sender.http.get("/ping") for _ in range(100)]
    taken = [answer for answer in answers if answer.status_code == httpx.codes.OK]
    refused = [answer for answer in answers if answer.status_code == httpx.codes.TOO_MANY_REQUESTS]
    return outcome(
        len(answers),
        at_most_60_calls_in_the_first_minute=60 <= len(taken) < len(answers),
        all_others_are_refused_as_429=len(taken) + len(refused) == len(answers),
        each_refusal_says_when_to_come_again=all("Retry-After" in answer.headers for answer in refused),
        pages_answer=stage.answers(),
    )


def large_bodies(stages: Stages) -> Outcome:
    """Send bodies that no one may send. They are refused before they are read."""
    stage = stages.new(SIS_SYNC_FIRST_FILE_MB="1")
    (system,) = stage.make_systems({"people": False})
    stage.start()
    statuses = {}
    for name, key in (("no key", "sissync_nobody"), ("a key", system["key"])):
        try:
            answer = Sender(stage, key).post(Sent("partial", ""), content=b"x" * (30 << 20))
            statuses[name] = answer.status_code
        except httpx.TransportError:  # the connection was closed while the body was sent
            statuses[name] = 0
    kept = sum(path.stat().st_size for path in stage.scene.folder.rglob("*") if path.is_file())
    return outcome(
        2,
        a_body_without_a_key_is_refused=statuses["no key"] in (0, 401),
        a_body_above_the_size_of_the_key_is_refused=statuses["a key"] in (0, 413, 422),
        nothing_of_them_is_stored=kept < 20 << 20,
        pages_answer=stage.answers(),
    )


CALLS = Row(
    "calls", "A key cannot call more or send more than it may", {"calls": many_calls, "large bodies": large_bodies}
)
