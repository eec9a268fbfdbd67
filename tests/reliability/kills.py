"""Rows about processes that are killed or stop: nothing is half done, done twice or lost."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from kit.servers import Scene, kill, wait_until
from reliability.people import file_of, newcomers
from reliability.rows import Outcome, Row, outcome
from reliability.stage import Sender, Stage, Stages, frozen
from reliability.tactics import Sent

PEOPLE = 12_000
FIRST_PEOPLE, FILES, FILE_PEOPLE = 1000, 10, 20
IMPORTED = 1_200  # so many newcomers go straight into the accounts
IMPORT_STEPS = (("plan", 118), ("apply", 90), ("plan", 134))  # about as many as there are
IMPORT_PARTS, NO_STEP = 24, 0
STATE = "select state from runs_run"
CREATED = "select count(*) from audit_accountchange where action = 'create'"
ACCOUNTS = "select count(*) from accounts_account"
LAST_ATTEMPT = "select id from jobs_job where state in ('queued', 'running') and attempts > 2"  # then the run fails
BEGUN = "select count(*) from jobs_job where kind = 'apply' and attempts > 0"


def killed_apply(stages: Stages, *, seed: int) -> Outcome:
    """Kill the worker twice while it applies a run. Either all of the run is there or nothing, and in the end once."""
    chance = random.Random(seed)
    stage = stages.new()
    scene = stage.scene
    scene.prepare(["begin"], ["send", 0, PEOPLE])
    whole, kills = True, 0
    while kills < 2 and scene.ask(STATE) != [("applied",)]:
        with scene.worker() as worker:
            scene.wait_for(f"{BEGUN} and attempts > {kills}", [(1,)])
            time.sleep(chance.uniform(0, 0.6))
            kill(worker)
            kills += 1
        found = (scene.ask(ACCOUNTS), scene.ask(CREATED))
        whole &= found in (([(0,)], [(0,)]), ([(PEOPLE,)], [(PEOPLE,)]))
    with scene.worker():
        scene.wait_for(STATE, [("applied",)])
        scene.wait_for("select distinct state from jobs_job", [("done",)])
    once = (scene.ask(ACCOUNTS), scene.ask(CREATED)) == ([(PEOPLE,)], [(PEOPLE,)])
    return outcome(kills, each_kill_leaves_all_or_nothing=whole, in_the_end_it_is_applied_once=once)


APPLY = Row(
    "apply",
    "A worker that is killed while it applies a run applies it exactly once",
    {f"seed {seed}": partial(killed_apply, seed=seed) for seed in range(8)},
)


def killed_import(stages: Stages, *, part: int) -> Outcome:
    """Kill workers while they plan and apply a first import, and plan the same file again with a memory.

    Each is killed at two steps. The memory is damaged in between.
    """
    chance = random.Random(part)
    scene = stages.new().scene
    scene.prepare(["begin"])
    nothing, everything = [(0,)], [(IMPORTED,)]
    whole, kills = True, 0
    for kind, steps in IMPORT_STEPS:
        if kind == "plan":
            scene.prepare(["send", 0, IMPORTED])
        for place in (2 * part, 2 * part + 1):
            step = 1 + place * steps // (2 * IMPORT_PARTS)
            kills += _dying_worker(scene, kind, step) == -signal.SIGKILL
            expected = everything if ("applied",) in scene.ask(STATE) else nothing
            whole &= scene.ask(ACCOUNTS) == scene.ask(CREATED) == expected
            _damage_memory(scene, chance)
    has_ended = _dying_worker(scene, "plan", NO_STEP) == 0
    return outcome(
        kills,
        each_kill_leaves_all_or_nothing=whole,
        the_last_worker_ends=has_ended,
        in_the_end_it_is_applied_once=scene.ask(ACCOUNTS) == scene.ask(CREATED) == everything,
        each_file_is_applied=scene.ask(STATE) == [("applied",)] * 2,
        no_job_is_left=scene.ask("select distinct state from jobs_job") == [("done",)],
        nothing_is_left_behind=not list((scene.folder / "work").glob("*")),
    )


def _dying_worker(scene: Scene, kind: str, step: int) -> int:
    """Run a worker that is killed at this step of such a job. Return its exit code."""
    return scene.start("-m", "kit.dying_worker", kind, str(step), stderr=subprocess.DEVNULL).wait()


def _damage_memory(scene: Scene, chance: random.Random) -> None:
    """Cut the memory off somewhere, remove it, or leave it."""
    for file in (scene.folder / "memory").glob("*"):
        match chance.choice(("cut", "remove", "leave")):
            case "cut":
                os.truncate(file, chance.randrange(file.stat().st_size + 1))
            case "remove":
                file.unlink()


IMPORT = Row(
    "import",
    "A worker that is killed at any step of a first import loses nothing and does nothing twice",
    {f"part {part} of {IMPORT_PARTS}": partial(killed_import, part=part) for part in range(IMPORT_PARTS)},
)


def frozen_worker(stages: Stages) -> Outcome:
    """Stop the worker while it applies. The server replaces it, and the run is applied once."""
    stage = stages.new(SIS_SYNC_FROZEN_SECONDS="3")
    (system,) = stage.make_systems({"people": False})
    stage.start()
    sender = Sender(stage, system["key"])
    run = sender.post(Sent("partial", file_of(newcomers(PEOPLE)))).json()["id"]
    stage.scene.wait_for(BEGUN, [(1,)])
    worker = stage.child("work")
    with frozen(worker):
        state = sender.settled(run)["state"]
    wait_until(lambda: stage.child("work") not in (0, worker), "the frozen worker was not replaced")
    created = stage.scene.ask(CREATED)
    return outcome(1, the_run_is_applied=state == "applied", it_is_applied_once=created == [(PEOPLE,)])


FROZEN = Row("frozen", "A worker that stops is replaced, and its run goes on", {"while applying": frozen_worker})


def delivery(stages: Stages, *, seed: int) -> Outcome:
    """Kill client, web process, worker and parent at random while files are delivered. Each file arrives once."""
    chance = random.Random(seed)
    stage = stages.new()
    (system,) = stage.make_systems({"people": False})
    stage.start()
    # Below a quarter of them, files of newcomers need no person.
    assert Sender(stage, system["key"]).sync(Sent("partial", file_of(newcomers(FIRST_PEOPLE))))["state"] == "applied"
    client = Client(stage, system["key"])
    files, kills = {}, 0
    try:
        for number in range(FILES):
            text = file_of(newcomers(FILE_PEOPLE))
            files[hashlib.sha256(text.encode()).hexdigest()] = number
            client.export(f"{number}.csv", text)
            for _ in range(2):
                time.sleep(chance.uniform(0.3, 1.5))
                who = chance.choice(("client", "web", "work", "parent"))
                if who == "client":
                    kills += client.kill()
                elif who == "web" or not stage.scene.ask(LAST_ATTEMPT):
                    kills += stage.kill(who)
                client.start()
                if stage.process and stage.process.poll() is not None:
                    stage.start()
        wait_until(lambda: client.start().is_idle() and _all_ended(stage), "the files did not arrive", seconds=300)
        # The client sends again what a killed web process was receiving. What it had received goes after a day.
        for upload in (stage.scene.folder / "incoming").glob("*"):
            os.utime(upload, (0, 0))
        wait_until(lambda: not _left(stage), "files of killed processes are left behind", seconds=120)
    finally:
        client.kill()
        stage.stop()  # not at the end of the row: the servers of all tries have more connections than PostgreSQL takes
    sent = stage.scene.ask(
        "select file_sha256, count(*), min(state), max(state) from runs_run where api_key_id > 0 group by file_sha256"
    )
    once = {row[0] for row in sent if tuple(row[1:]) == (1, "applied", "applied")}
    return outcome(
        kills,
        no_file_is_lost=files.keys() <= {row[0] for row in sent},
        each_file_is_applied_once=files.keys() <= once and len(sent) == FILES + 1,
        each_person_is_created_once=stage.scene.ask(CREATED) == [(FIRST_PEOPLE + FILES * FILE_PEOPLE,)],
    )


def _left(stage: Stage) -> list[Path]:
    """Return uploads and the folders of jobs. Results that a killed web process was making go with the purge."""
    return [path for name in ("incoming/*", "work/run-*") for path in stage.scene.folder.glob(name)]


def _all_ended(stage: Stage) -> bool:
    return stage.scene.ask("select count(*) from jobs_job where state in ('queued', 'running')") == [(0,)]


class Client:
    """The Sync Client, which watches a folder for partial files."""

    def __init__(self, stage: Stage, key: str) -> None:
        self.folder = stage.scene.folder / "client"
        self.exports = self.folder / "exports"
        self.exports.mkdir(parents=True)
        self.environment = stage.environment
        key_file = self.folder / "api.key"
        key_file.touch(mode=0o600)
        key_file.write_text(key, encoding="utf-8")
        lines = (
            f"backend.url={stage.url}",
            f"backend.api.token.file={key_file}",
            "client.poll.seconds=1",
            "client.settle.seconds=1",
            f"client.state.folder={self.folder / 'state'}",
            f"client.log.folder={self.folder / 'logs'}",
            "partial.sync.enabled=true",
            f"partial.sync.folder={self.exports}",
        )
        (self.folder / "client.properties").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> "Client":
        """Start the client unless it runs."""
        if self.process is None or self.process.poll() is not None:
            command = [sys.executable, "-m", "sis_sync", "watch", "--config", str(self.folder / "client.properties")]
            with (self.folder / "output").open("ab") as output:
                self.process = subprocess.Popen(command, env=self.environment, stdout=output, stderr=output, text=True)
        return self

    def kill(self) -> int:
        """Kill the client. Return 1."""
        if self.process:
            kill(self.process)
        return 1

    def export(self, name: str, text: str) -> None:
        """Put a file into the folder at once, as a careful export does."""
        draft = self.folder / name
        draft.write_text(text, encoding="utf-8", newline="")
        draft.replace(self.exports / name)

    def is_idle(self) -> bool:
        """True if it has taken every file."""
        return not list(self.exports.glob("*.csv"))


DELIVERY = Row(
    "delivery",
    "Killing client, web process, worker and parent loses no file and sends none twice",
    {f"seed {seed}": partial(delivery, seed=seed) for seed in range(4)},
)
