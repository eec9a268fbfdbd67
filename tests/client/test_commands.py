"""The client's other commands, as real processes: what they print, and the codes they end with."""

import json

import pytest
from client.conftest import District, roster
from client.loopback_server import RESULTS, SECRET


def test_init_writes_settings_that_are_private_and_never_overwrites_them(district: District) -> None:
    district.settings.unlink()
    first = district.command("init", "--no-input", "--url", "https://sync.example.org")
    assert first.returncode == 0
    assert district.settings.stat().st_mode & 0o077 == 0
    assert "backend.url=https://sync.example.org\n" in district.settings.read_text()
    again = district.command("init", "--no-input")
    assert (again.returncode, "--force" in again.stderr) == (3, True)
    assert district.command("init", "--no-input", "--force").returncode == 0


def test_a_bad_settings_file_ends_with_3_and_says_where(district: District) -> None:
    district.write_settings(client__poll__seconds="soon")
    done = district.command("run")
    assert done.returncode == 3
    assert "client.poll.seconds" in done.stderr
    assert "line" in done.stderr


def test_an_unknown_key_is_said_and_the_pass_goes_on(district: District) -> None:
    district.write_settings(client__setle__seconds="20")
    done = district.command("run")
    assert done.returncode == 0
    assert "Did you mean client.settle.seconds?" in done.stderr


def test_a_pass_without_sections_is_a_configuration_error(district: District) -> None:
    district.write_settings(partial__sync__enabled="false")
    assert district.command("run").returncode == 3


def test_config_show_masks_the_key(district: District) -> None:
    done = district.command("config", "show")
    assert done.returncode == 0
    assert SECRET not in done.stdout + done.stderr
    assert "client.poll.seconds=30  # default" in done.stdout
    assert f"partial.sync.folder=partial  # {district.settings} line 9" in done.stdout


def test_doctor_says_what_is_well_and_what_is_not(district: District) -> None:
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


def test_doctor_tells_a_refused_key_from_a_server_that_is_away(district: District) -> None:
    refused = district.command("doctor", SIS_SYNC_BACKEND_API_TOKEN="wrong")
    assert ("FAIL key" in refused.stdout, refused.returncode) == (True, 4)
    district.write_settings(backend__url="http://127.0.0.1:9")
    away = district.command("doctor")
    assert ("FAIL server" in away.stdout, away.returncode) == (True, 5)


def test_upload_checks_sends_and_leaves_the_file(district: District) -> None:
    source = district.export("staff.csv", roster(), "elsewhere")
    done = district.command("upload", str(source), "--mode", "partial", "--wait")
    assert (done.returncode, source.exists()) == (0, True)
    assert "1 created" in done.stdout
    assert len(district.server.runs) == 1


def test_upload_refuses_what_is_no_roster_before_it_is_sent(district: District) -> None:
    source = district.export("staff.csv", "<html>", "elsewhere")
    assert district.command("upload", str(source), "--mode", "partial").returncode == 6
    assert district.command("upload", "nowhere.csv", "--mode", "partial").returncode == 6
    assert district.server.received == []


def test_status_and_results_of_a_run(district: District) -> None:
    district.export("staff.csv", roster())
    district.run()
    assert "run 1 applied: 1 created" in district.command("status", "1").stdout
    assert "staff.csv" in district.command("status").stdout
    listed = json.loads(district.command("status", "--json").stdout)
    assert [run["id"] for run in listed["runs"]] == ["1"]
    assert district.command("results", "1").stdout == RESULTS.decode().replace("\r\n", "\n")
    assert district.command("results", "1", "--failed").returncode == 2
    assert district.command("status", "77").returncode == 2


def test_approve_and_reject(district: District) -> None:
    assert district.command("approve", "5", "--digest", "d1").returncode == 0
    assert "rejected" in district.command("reject", "5", "--reason", "wrong file").stdout


@pytest.mark.parametrize(
    "secret", ["", "two words", "caf\u00e9", "hunter2", SECRET[:-1], SECRET[:-1] + "_", f"x{SECRET}"]
)
def test_token_set_refuses_what_is_no_key_and_keeps_the_old_one(district: District, secret: str) -> None:
    assert set_token(district, SECRET) == 0
    before = district.settings.read_text()
    assert set_token(district, secret) == 2
    assert district.settings.read_text() == before
    assert (district.home / "api.key").read_text() == f"{SECRET}\n"


def test_token_set_keeps_the_key_in_a_private_file_and_test_tries_it(district: District) -> None:
    del district.lines["backend.api.token"]
    district.write_settings()
    assert district.command("token", "test").returncode == 3
    assert set_token(district, SECRET) == 0
    assert (district.home / "api.key").stat().st_mode & 0o077 == 0
    assert SECRET not in district.settings.read_text()
    done = district.command("token", "test")
    assert (done.returncode, "Riverbend" in done.stdout) == (0, True)


def set_token(district: District, secret: str) -> int:
    """`token set` with the key on stdin."""
    import subprocess
    import sys

    command = [sys.executable, "-c", "from sis_sync.cli.main import main; main()", "token", "set"]
    done = subprocess.run(
        [*command, "--config", str(district.settings)], input=secret + "\n", text=True, capture_output=True, check=False
    )
    assert "Traceback" not in done.stderr
    return done.returncode
