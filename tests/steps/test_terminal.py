"""The options of every command: -q, -v, --color, --no-input; and output in any encoding."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from kit.commands import HEADER
from kit.plans import at_night

from sis_sync.core.errors import UsageFault

COLOURED = "\x1b["


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "łódź.csv").write_text(
        f"{HEADER}\nAna,,Ruiz,łukaš🎓@lakeview,1001,010,Student,,9,Active\n", encoding="utf-8"
    )
    (tmp_path / "orgs.csv").write_text("external_id,name\n010,North\n", encoding="utf-8")
    (tmp_path / "client.properties").write_text("no.such.key=1\n", encoding="utf-8")
    return tmp_path


def sis_sync(
    folder: Path, *arguments: str, given: str = "", **environment: str
) -> "subprocess.CompletedProcess[bytes]":
    """Run the command as its own process."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("SIS_SYNC_", "NO_COLOR"))}
    return subprocess.run(
        [sys.executable, "-m", "sis_sync", *arguments],
        cwd=folder,
        env={**variables, **environment},
        input=given.encode(),
        capture_output=True,
    )


def plan(folder: Path, *options: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    return sis_sync(folder, "plan", "łódź.csv", "--mode", "partial", "--orgs", "orgs.csv", *options, **environment)


def test_stdout_has_the_answer_only(folder: Path) -> None:
    done = plan(folder)
    assert (done.returncode, done.stderr) == (7, b"")
    assert "email.invalid: 1 (error)" in done.stdout.decode()


@pytest.mark.parametrize("place", ["after", *at_night("before")])
def test_verbose_prints_steps_to_stderr(folder: Path, place: str) -> None:
    words = ["check", "łódź.csv", "--json"]
    done = sis_sync(folder, *(["-v", *words] if place == "before" else [*words, "-v"]))
    assert [line.split(":")[0] for line in done.stderr.decode().splitlines()] == ["read", "map", "validate"]
    assert json.loads(done.stdout)["counts"] == {"rows": 1, "failed": 1}


@pytest.mark.parametrize("place", ["after", *at_night("before")])
def test_quiet_hides_warnings_only(folder: Path, place: str) -> None:
    words = ["config", "show", "--config", "client.properties"]
    loud = sis_sync(folder, *words)
    quiet = sis_sync(folder, *(["-q", *words] if place == "before" else [*words, "-q"]))
    assert b"no.such.key" in loud.stderr
    assert quiet.stderr == b""
    assert quiet.stdout == loud.stdout != b""


def test_quiet_still_prints_errors(folder: Path) -> None:
    done = sis_sync(folder, "-q", "plan", "none.csv", "--mode", "full", "--orgs", "orgs.csv")
    assert done.returncode == 6
    assert b"file.not_found" in done.stderr


@pytest.mark.parametrize(
    ("options", "environment", "is_coloured"),
    [
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        *at_night(
            ([], {}, False),
            (["--color", "auto"], {}, False),
            (["--color", "always"], {}, True),
            (["--color", "never"], {}, False),
        ),
    ],
)
def test_colours_follow_the_options(
    folder: Path, options: list[str], environment: dict[str, str], is_coloured: bool
) -> None:
    for done in (plan(folder, *options, **environment), sis_sync(folder, *options, "check", "łódź.csv", **environment)):
        assert (COLOURED in done.stdout.decode()) is is_coloured


@pytest.mark.parametrize("encoding", ["ascii", *at_night("latin-1", "cp1252", "utf-8")])
def test_every_encoding_can_be_printed(folder: Path, encoding: str) -> None:
    done = plan(folder, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (7, b"")
    assert b"is not an email address" in done.stdout


@pytest.mark.parametrize("encoding", ["cp1252", *at_night("ascii", "latin-1", "utf-8")])
def test_json_survives_every_encoding(folder: Path, encoding: str) -> None:
    done = plan(folder, "--json", PYTHONIOENCODING=encoding)
    text = done.stdout.decode("utf-8" if encoding in ("ascii", "utf-8") else encoding)
    assert json.loads(text)["file"]["name"] == "łódź.csv"


@pytest.mark.night
def test_c_locale_can_be_printed(folder: Path) -> None:
    done = plan(folder, LANG="C", LC_ALL="C")
    assert done.returncode == 7
    assert b"Traceback" not in done.stderr


def test_no_input_asks_nothing(folder: Path) -> None:
    done = sis_sync(folder, "server", "create-admin", "--no-input", "--email", "alice@riverbend.example")
    assert done.returncode == UsageFault.exit_code
    assert b"--first-name is missing" in done.stderr
    done = sis_sync(folder, "--no-input", "init", "--config", "new.properties")
    assert done.returncode == 0
    assert (folder / "new.properties").is_file()


@pytest.mark.night
def test_every_command_takes_options(folder: Path) -> None:
    for words in (["mapper", "presets"], ["config", "show"], ["token", "set"], ["server", "check"], ["doctor"]):
        done = sis_sync(folder, *words, "-q", "-v", "--color", "never", "--no-input", "--help")
        assert done.returncode == 0, done.stderr.decode()
        assert b"--no-input" not in done.stdout, "only the help of sis-sync itself lists them"
