"""`sis-sync serve` and `worker` as processes: children live as long as their parent, and no longer."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kit.servers import Scene, kill, wait_until

from sis_sync.server.serve.supervisor import Beat, Child

RUN = "from sis_sync.cli.main import main; main()"
ON_ONE_SERVER = pytest.mark.xdist_group("new_server")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path, "")


@pytest.fixture(scope="module")
def new_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scene, "subprocess.Popen[str]", str]]:
    """A new server for the tests that leave it as it was, with what it printed until it served."""
    scene = Scene(tmp_path_factory.mktemp("server"), "")
    with serving(scene) as (process, said):
        yield scene, process, said


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def serving(scene: Scene, *options: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The parent process and what it said until it served."""
    port = str(free_port())
    process = scene.start(
        "-c", RUN, "serve", "--port", port, *options, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        said = ""
        while "Serving on" not in said:
            line = process.stdout.readline()
            assert line, f"serve ended: {said}"
            said += line
        yield process, said
    finally:
        children = children_of(process.pid)
        kill(process)
        if process.stdout:
            process.stdout.close()
        wait_until(lambda: not any(is_alive(child) for child in children), "children outlive their parent")


def children_of(pid: int) -> dict[int, str]:
    """The child processes and the module that each runs."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
    found = {int(row[0]): row[2] for row in rows if int(row[1]) == pid}
    return {child: match[1] for child, args in found.items() if (match := re.search(r"serve\.(web|work)\b", args))}


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if Path(f"/proc/{pid}/stat").exists() else True


def one_of(process: "subprocess.Popen[str]", module: str) -> int:
    found = [child for child, name in children_of(process.pid).items() if name == module]
    return found[0] if found else 0


def status_of(said: str) -> int:
    address = re.search(r"Serving on (\S+)", said)
    assert address
    try:
        with urllib.request.urlopen(address[1], timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def command(scene: Scene, *arguments: str, given: str = "") -> tuple[int, str, str]:
    process = scene.start("-c", RUN, *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output, errors = process.communicate(given, timeout=60)
    return process.returncode, output, errors


@ON_ONE_SERVER
def test_new_server_prints_setup_link(new_server: tuple[Scene, "subprocess.Popen[str]", str]) -> None:
    _, process, said = new_server
    assert re.search(r"http://127\.0\.0\.1:\d+/\S*setup\S*/\S{20,}", said)
    assert status_of(said) == 200
    assert sorted(children_of(process.pid).values()) == ["web", "work"]


@pytest.mark.night
def test_claimed_server_prints_no_link(scene: Scene) -> None:
    scene.prepare(["begin"])
    with serving(scene, "--no-worker") as (process, said):
        assert "setup" not in said
        assert list(children_of(process.pid).values()) == ["web"]


@ON_ONE_SERVER
def test_killed_worker_is_started_again(new_server: tuple[Scene, "subprocess.Popen[str]", str]) -> None:
    scene, process, _ = new_server
    scene.prepare(["begin"])
    first = one_of(process, "work")
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: one_of(process, "work") not in (0, first), "no new worker")
    scene.prepare(["send", 0, 5])
    scene.wait_for("select state from runs_run", [("applied",)])


@ON_ONE_SERVER
def test_killed_web_is_started_again(new_server: tuple[Scene, "subprocess.Popen[str]", str]) -> None:
    _, process, said = new_server
    first = one_of(process, "web")
    os.kill(first, signal.SIGKILL)
    assert process.stdout is not None
    assert "Serving on" in process.stdout.readline()
    assert one_of(process, "web") != first
    assert status_of(said) == 200


def test_frozen_child_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
    child = Child("worker", ["kit.frozen"], lambda: Beat.expected(tmp_path / "workers" / "one", 0.3))
    child.start()
    first = child.process

    def is_replaced() -> bool:
        child.look_after()
        return child.process is not first

    try:
        wait_until(is_replaced, "the frozen child was not replaced")
        assert first
        assert first.returncode == -signal.SIGKILL
    finally:
        child.stop(0)


@pytest.mark.skipif(not Path("/proc").exists(), reason="the environment of a process stands in /proc")
@pytest.mark.parametrize("own", [None, "glibc.malloc.check=0"], ids=["nothing said", "said by the installation"])
def test_child_keeps_small_pieces_of_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str | None) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    if own:
        monkeypatch.setenv("GLIBC_TUNABLES", own)
    child = Child("worker", ["kit.frozen", str(tmp_path / "beat")])
    child.start()
    try:
        assert child.process
        environment = Path(f"/proc/{child.process.pid}/environ")
        wait_until(lambda: environment.read_bytes() != b"", "the child has no environment")  # Linux sets it after exec
        said = environment.read_text(encoding="utf-8").split("\0")
        assert f"GLIBC_TUNABLES={own or 'glibc.malloc.tcache_count=127'}" in said
    finally:
        child.stop(0)


@pytest.mark.night
def test_parent_that_was_stopped_is_patient(tmp_path: Path) -> None:
    beat = Beat.expected(tmp_path / "workers" / "one", 5)
    assert beat
    beat.has_begun, beat.looked_at = True, beat.looked_at - 3600  # the parent did not look for an hour
    assert not beat.is_silent()
    for _ in range(5):
        beat.looked_at -= 1
        beat.is_silent()
    assert beat.is_silent()
    beat.file.touch()
    os.utime(beat.file, (1, 1))  # a clock that was set back counts as a sign of life too
    assert not beat.is_silent()


@pytest.mark.night
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_stop_signal_ends_all(scene: Scene, how: signal.Signals) -> None:
    with serving(scene) as (process, _):
        children = children_of(process.pid)
        process.send_signal(how)
        assert process.wait(timeout=30) == 0
        assert not any(is_alive(child) for child in children)


def test_second_signal_does_not_disturb_unwinding() -> None:
    """After Ctrl-C a child gets SIGTERM from its parent too."""
    lines = (
        "import os, signal",
        "from sis_sync.server.serve.supervisor import exit_on_signals",
        "exit_on_signals()",
        "try:",
        "    os.kill(os.getpid(), signal.SIGINT)",
        "finally:",
        "    os.kill(os.getpid(), signal.SIGTERM)",
        "    print('rolled back')",
    )
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "rolled back\n", "")


@pytest.mark.night
def test_children_end_with_their_parent(scene: Scene) -> None:
    with serving(scene) as (process, _):
        children = children_of(process.pid)
        assert len(children) == 2
        kill(process)
        wait_until(lambda: not any(is_alive(child) for child in children), "children outlive their parent")


@pytest.mark.night
def test_used_port_ends_the_server(scene: Scene) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, _, errors = command(scene, "serve", "--port", str(taken.getsockname()[1]))
    assert (code, "--port" in errors) == (3, True)


def test_open_address_needs_a_proxy(scene: Scene) -> None:
    code, _, errors = command(scene, "serve", "--host", "0.0.0.0")
    assert (code, "SIS_SYNC_BEHIND_PROXY" in errors) == (3, True)


@pytest.mark.night
def test_worker_command_works(scene: Scene) -> None:
    scene.prepare(["begin"], ["send", 0, 5])
    worker = scene.start("-c", RUN, "worker", stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        scene.wait_for("select state from runs_run", [("applied",)])
        worker.terminate()
        assert worker.wait(timeout=30) == 0
    finally:
        kill(worker)


def test_commands_set_the_server_up(scene: Scene) -> None:
    code, _, errors = command(scene, "server", "check")
    assert (code, "sis-sync server migrate" in errors) == (3, True)
    assert command(scene, "server", "migrate")[0] == 0
    assert command(scene, "server", "check")[0] == 0
    person = ("--email", "alice@riverbend.example", "--first-name", "Alice", "--last-name", "Abara")
    system = ("--school-system", "riverbend", "--name", "Riverbend Unified")
    code, output, errors = command(scene, "server", "create-admin", *system, *person, given="Blue-heron-61\n")
    assert (code, "Riverbend Unified" in output) == (0, True), errors
    assert "Blue-heron" not in output + errors
    assert scene.ask("select user_type, status from accounts_account") == [("Administrator", "Active")]
    assert scene.ask("select count(*) from orgs_right") == [(1,)]


def test_missing_server_extra_is_named(scene: Scene) -> None:
    without = f"import sys; sys.modules['django'] = None; {RUN}"
    process = scene.start("-c", without, "serve", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, "pip install 'WHEEL[server]'" in errors) == (3, True)
