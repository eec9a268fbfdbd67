"""The client's other commands: what they print, and their exit codes."""

import json
import subprocess

import pytest
from client.conftest import District, roster
from client.loopback_server import RESULTS, SECRET


def test_init_writes_private_settings_once(district: District) -> None:
    district.settings.unlink()
    first = district.command("init", "--no-input", "--url", "https://sync.example.org")
    assert first.returncode == 0
    assert district.settings.stat().st_mode & 0o077 == 0
    assert "backend.url=https://sync.example.org\n" in district.settings.read_text()
    again = district.command("init", "--no-input")
    assert (again.returncode, "--force" in again.stderr) == (3, True)
    assert district.command("init", "--no-input", "--force").returncode == 0


def test_bad_settings_file_named(district: District) -> None:
    district.write_settings(client__poll__seconds="soon")
    done = district.command("run")
    assert done.returncode == 3
    assert "client.poll.seconds" in done.stderr
    assert "line" in done.stderr


def test_unknown_key_is_warned_of(district: District) -> None:
    district.write_settings(client__setle__seconds="20")
    done = district.command("run")
    assert done.returncode == 0
    assert "Did you mean client.settle.seconds?" in done.stderr


def test_pass_without_sections_fails(district: District) -> None:
    district.write_settings(partial__sync__enabled="false")
    assert district.command("run").returncode == 3


def test_config_show_masks_key(district: District) -> None:
    done = district.command("config", "show")
    assert done.returncode == 0
    assert SECRET not in done.stdout + done.stderr
    assert "client.poll.seconds=30  # default" in done.stdout
    assert f"partial.sync.folder=partial  # {district.settings} line 9" in done.stdout


def test_doctor_finds_good_and_bad(district: District) -> None:
    done = district.command("doctor", "--json")
    verdicts = {check["part"]: check["verdict"] for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 0, done.stdout
    assert (verdicts["server"], verdicts["key"], verdicts["partial.sync"]) == ("OK", "OK", "OK")
    assert verdicts["clock"] in ("OK", "WARN")
    district.write_settings(full__sync__enabled="true", full__sync__folder="away")
    district.export("staff.csv", roster())
    bad = district.command("doctor")
    assert bad.returncode == 3
    assert "FAIL full.sync" in bad.stdout
    assert "may not send full" in bad.stdout


def test_doctor_separates_key_from_server(district: District) -> None:
    refused = district.process("doctor", SIS_SYNC_BACKEND_API_TOKEN="wrong")
    assert ("FAIL key" in refused.stdout, refused.returncode) == (True, 4)
    district.write_settings(backend__url="http://127.0.0.1:9")
    away = district.command("doctor")
    assert ("FAIL server" in away.stdout, away.returncode) == (True, 5)


def test_upload_leaves_the_file(district: District) -> None:
    source = district.export("staff.csv", roster(), "elsewhere")
    done = district.command("upload", str(source), "--mode", "partial", "--wait")
    assert (done.returncode, source.exists()) == (0, True)
    assert "1 created" in done.stdout
    assert len(district.server.runs) == 1


def test_upload_refuses_bad_files(district: District) -> None:
    source = district.export("staff.csv", "<html>", "elsewhere")
    assert district.command("upload", str(source), "--mode", "partial").returncode == 6
    assert district.command("upload", "nowhere.csv", "--mode", "partial").returncode == 6
    assert district.server.received == []


def test_status_and_results(district: District) -> None:
    district.export("staff.csv", roster())
    district.run()
    assert "run 1 applied: 1 created" in district.command("status", "1").stdout
    assert "staff.csv" in district.command("status").stdout
    listed = json.loads(district.command("status", "--json").stdout)
    assert [run["id"] for run in listed["runs"]] == ["1"]
    assert district.command("results", "1").stdout == RESULTS.decode()
    assert district.command("results", "1", "--failed").returncode == 2
    assert district.command("status", "77").returncode == 2


def test_approve_reject_and_cancel(district: District) -> None:
    assert district.command("approve", "5", "--digest", "d1").returncode == 0
    assert "rejected" in district.command("reject", "5", "--reason", "wrong file").stdout
    cancelled = district.command("cancel", "5")
    assert ("cancelled" in cancelled.stdout, cancelled.returncode) == (True, 0)


@pytest.mark.parametrize(
    "secret", ["", "two words", "caf\u00e9", "hunter2", SECRET[:-1], SECRET[:-1] + "_", f"x{SECRET}"]
)
def test_token_set_refuses_bad_keys(district: District, secret: str) -> None:
    assert set_token(district, SECRET) == 0
    before = district.settings.read_text()
    assert set_token(district, secret) == 2
    assert district.settings.read_text() == before
    assert (district.home / "api.key").read_text() == f"{SECRET}\n"


def test_token_set_stores_privately(district: District) -> None:
    del district.lines["backend.api.token"]
    district.write_settings()
    assert district.command("token", "test").returncode == 3
    process = district.start("token", "set", stdin=subprocess.PIPE)
    process.communicate(SECRET + "\n")
    assert process.returncode == 0
    assert (district.home / "api.key").stat().st_mode & 0o077 == 0
    assert SECRET not in district.settings.read_text()
    done = district.command("token", "test")
    assert (done.returncode, "Riverbend" in done.stdout) == (0, True)


def set_token(district: District, secret: str) -> int:
    """Run `token set` with the key on stdin."""
    done = district.command("token", "set", stdin=secret + "\n")
    assert "Traceback" not in done.stderr
    assert secret == "" or secret not in done.stdout + done.stderr
    return done.returncode
