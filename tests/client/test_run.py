"""One pass against a real HTTP server: what is taken, sent once, archived, refused and reported."""

import csv
import errno
import gzip
import hashlib
import json
import os
import signal
import sqlite3
import stat
import time
from pathlib import Path

import pytest
from client.conftest import DANA, HEADER, District, roster
from client.loopback_server import RESULTS, SECRET, dropped, lost_answer, status
from kit.plans import at_night

from sis_sync.client import archive, one_pass
from sis_sync.core.errors import FileRefused


def set_age(path: Path, *, hours: float) -> None:
    moment = time.time() - hours * 3600
    os.utime(path, (moment, moment))


def test_file_sent_unchanged_and_archived(district: District) -> None:
    source = district.export("staff.csv", roster())
    content = source.read_bytes()
    code, report = district.run_process()
    (received,) = district.server.received
    assert (code, report["problems"]) == (0, [])
    assert (received.mode, received.file_name, received.body) == ("partial", "staff.csv", content)
    assert received.fields["sha256"] == hashlib.sha256(content).hexdigest()
    assert not source.exists()
    assert district.names("partial/archive") == ["staff.csv", "staff.results.csv"]
    (results,) = (district.home / "partial/archive").glob("*.results.csv")
    assert results.read_bytes() == RESULTS
    (told,) = report["files"]
    assert (told["outcome"], told["run"]["state"]) == ("sent", "applied")
    assert list((district.home / "state/spool").iterdir()) == []


def test_mapping_lines_sent_with_file(district: District) -> None:
    district.write_settings(
        partial__sync__mapper="sis", mapper__sis__column__custom_id="Student Number | Number", client__name="Büro"
    )
    text = roster().replace("custom_id", "Number")
    district.export("staff.csv", text)
    assert district.run()[0] == 0
    (received,) = district.server.received
    assert received.body == text.encode()
    assert received.fields["mapping_name"] == "sis"
    assert received.fields["mapping_lines"] == "mapper.sis.column.custom_id=Student Number | Number\n"
    assert {each["x-client-name"] for each in district.server.headers} == {"B%C3%BCro"}


def test_large_file_sent_as_gzip(district: District) -> None:
    rows = [f"Dana,,Example,dana{n}@riverbend.example,T{n},N1,Teacher,,,Active" for n in range(20_000)]
    district.export("staff.csv", roster(*rows))
    assert district.run()[0] == 0
    (received,) = district.server.received
    assert received.body == roster(*rows).encode()
    assert received.fields["sha256"] == hashlib.sha256(received.body).hexdigest()
    assert len(gzip.compress(received.body)) < len(received.body)


def test_nothing_to_do(district: District) -> None:
    done = district.process("run")
    assert (done.returncode, done.stdout.strip()) == (0, "Nothing to do.")


def test_results_tell_what_happened(district: District) -> None:
    """The server told a key of the default scope of four rows. One of them has a column that the server lacks."""
    text = "\n".join(
        [
            f"{HEADER},bus,pin",
            f"{DANA},7,1234",
            f"{DANA.replace('T1', 'T2').replace('dana@', 'no address ')},=8,1234",
            f"{DANA.replace('T1', 'T3')},9,1234",
            f"{DANA.replace('T1', 'T4')},10,1234",
        ]
    )
    district.server.results = (
        b"line,action,custom_id,fields,codes,message,first_name\n2,taken,T1,,,,Dana\n"
        b'3,failed,T2,,email.invalid,"staff.csv line 3, no address.",Dana\n4,ignored,T3,,row.duplicate,Again.,Dana\n'
        b'5,failed,T4,,row.ask_a_manager,"staff.csv line 5, ask.",Dana\n'
    )
    district.server.counts = {"taken": 1, "ignored": 1, "failed": 2}
    district.server.findings = {"email.invalid": 1, "row.ask_a_manager": 1, "row.duplicate": 1}
    district.export("staff.csv", text + "\n")
    done = district.command("run")
    assert done.returncode == 7
    assert "1 taken, 1 ignored, 2 failed; only a manager may see why 1 row failed\n/runs/1" in done.stdout
    assert district.names("partial/archive") == ["staff.csv", "staff.failed.csv", "staff.results.csv"]
    (results,) = (district.home / "partial/archive").glob("*.results.csv")
    rows = list(csv.DictReader(results.read_text(encoding="utf-8").splitlines()))
    assert [(row["line"], row["action"]) for row in rows] == [("3", "failed"), ("4", "ignored"), ("5", "failed")]
    (failed,) = (district.home / "partial/archive").glob("*.failed.csv")
    assert stat.S_IMODE(failed.stat().st_mode) == 0o600
    rows = list(csv.DictReader(failed.read_text(encoding="utf-8").splitlines()))
    assert [(row["sis_sync_message"], row["custom_id"], row["bus"]) for row in rows] == [
        ("staff.csv line 3, no address.", "T2", "'=8"),
        ("staff.csv line 5, ask.", "T4", "10"),
    ]
    assert "1234" not in failed.read_text(encoding="utf-8")


def test_results_fetched_by_later_pass(district: District) -> None:
    district.server.state = "waiting"
    district.export("staff.csv", roster())
    code, report = district.run()
    assert (code, report["files"][0]["run"]["state"]) == (0, "waiting")
    assert district.names("partial/archive") == ["staff.csv"]
    district.server.state = "applied"
    assert district.run()[1]["files"][0]["outcome"] == "ended"
    assert district.names("partial/archive") == ["staff.csv", "staff.results.csv"]
    assert district.run()[1]["files"] == []


@pytest.mark.parametrize(
    ("state", "code"), [("held", 8), ("refused", 6), *at_night(("rejected", 9), ("cancelled", 9), ("failed", 1))]
)
def test_exit_code_of_run_state(district: District, state: str, code: int) -> None:
    district.server.state = state
    district.export("staff.csv", roster())
    assert district.command("run", "--detailed-exitcode").returncode == code


def test_exit_code_of_failed_rows(district: District) -> None:
    district.server.counts = {"rows": 2, "create": 1, "failed": 1}
    district.export("staff.csv", roster())
    assert district.run()[0] == 7


def test_refused_file_moved_and_reported(district: District) -> None:
    district.export("staff.csv", "Dana,Example,dana@riverbend.example\n")
    code, report = district.run()
    assert (code, district.server.received) == (6, [])
    assert district.names("partial/failed") == ["staff.csv", "staff.findings.txt"]
    (findings,) = (district.home / "partial/failed").glob("*.txt")
    assert "file.no_header" in findings.read_text()
    (refusal,) = district.server.refusals
    assert (refusal["file_name"], refusal["code"]) == ("staff.csv", "file.no_header")
    assert "Dana" not in str(refusal)
    assert report["files"][0]["code"] == "file.no_header"


def test_log_without_personal_data(district: District) -> None:
    district.export("staff.csv", roster(DANA, DANA.replace("Teacher", "Wizard").replace("T1", "T2")))
    district.export("broken.csv", "Dana,Example,dana@riverbend.example\n")
    district.run_process()
    log = (district.home / "log/client.log").read_text()
    assert "run=1" in log
    assert "file.no_header" in log
    assert all(word not in log for word in ("Dana", "Example", "riverbend", "Wizard", SECRET))


def test_lost_answer_makes_one_run(district: District) -> None:
    district.server.faults = [lost_answer]
    district.export("staff.csv", roster())
    assert district.run()[0] == 0
    first, second = district.server.received
    assert first.key == second.key
    assert len(district.server.runs) == 1


@pytest.mark.parametrize(
    "fault", [dropped, status(503), *at_night(status(502), status(504), status(507, Retry_After="1"))]
)
def test_passing_fault_tried_again(district: District, fault: object) -> None:
    district.server.faults = [fault]  # type: ignore[list-item]
    district.export("staff.csv", roster())
    assert district.run()[0] == 0
    assert len(district.server.received) == 1


def test_full_disk_loses_nothing(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    source = district.export("staff.csv", roster())
    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fsync)
            code, report = district.run()
        (problem,) = report["problems"]
        assert (code, problem["title"], source.exists()) == (3, "The disk is full", True)
        assert "Make room" in problem["fix"]
    assert district.run()[0] == 0
    assert (len(district.server.received), source.exists()) == (1, False)
    assert list((district.home / "state/spool").iterdir()) == []


def test_full_journal_is_no_broken_journal(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object, **_named: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    district.export("staff.csv", roster())
    for broken in ("client.state_folder._open_database", "client.journal.Journal.remember_look"):
        with monkeypatch.context() as patch:
            patch.setattr(f"sis_sync.{broken}", full)
            done = district.command("run")
        assert (done.returncode, "is full" in done.stderr, "Move" in done.stderr) == (3, True, False), broken
    assert district.run()[0] == 0


def test_file_is_not_refused_for_a_bad_disk(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_named: object) -> None:
        raise FileRefused("file.not_found", "It cannot be read.") from OSError(errno.EIO, "Input/output error")

    source = district.export("staff.csv", roster())
    with monkeypatch.context() as patch:
        patch.setattr(one_pass, "check_file", refuse)
        assert district.run()[0] == 6
    assert (source.exists(), district.names("partial/failed"), district.server.refusals) == (True, [], [])
    assert district.run()[0] == 0
    assert len(district.server.received) == 1


def test_long_fault_waits_for_pass(district: District) -> None:
    source = district.export("staff.csv", roster())
    district.server.faults = [status(503, Retry_After="3600")]
    code, _ = district.run()
    assert (code, source.exists()) == (5, True)
    assert district.run()[0] == 0
    assert (len(district.server.runs), source.exists()) == (1, False)


def test_replaced_file_sent_from_copy(district: District) -> None:
    district.export("staff.csv", roster())
    district.server.faults = [status(503, Retry_After="3600")]
    district.run()
    source = district.export("staff.csv", roster(DANA.replace("T1", "T22")))
    assert district.run()[0] == 0
    assert [b"T22" in each.body for each in district.server.received] == [False, True]
    assert (source.exists(), len(district.server.runs)) == (False, 2)


def test_redirect_not_followed(district: District) -> None:
    source = district.export("staff.csv", roster())
    district.server.faults = [status(307, Location="http://127.0.0.1:9/elsewhere")]
    code, report = district.run()
    assert (code, source.exists()) == (3, True)
    assert "backend.url" in report["problems"][0]["fix"]


def test_refused_key_leaves_file(district: District) -> None:
    source = district.export("staff.csv", roster())
    assert district.run_process(SIS_SYNC_BACKEND_API_TOKEN="wrong")[0] == 4
    assert source.exists()
    assert district.run()[0] == 0


def test_unreachable_server_leaves_file(district: District) -> None:
    source = district.export("staff.csv", roster())
    district.write_settings(backend__url="http://127.0.0.1:9", backend__retry__max__minutes="0")
    code, report = district.run()
    assert (code, source.exists()) == (5, True)
    assert report["problems"][0]["message"] == "No answer from the server: it cannot be reached."
    assert report["notices"] == ["staff.csv is kept and sent by the next pass."]


def test_pause_is_announced(district: District) -> None:
    source = district.export("staff.csv", roster())
    district.server.faults = [status(503), status(503)]
    done = district.command("run")
    assert (done.returncode, source.exists()) == (0, False)
    told = [line for line in done.stderr.splitlines() if "staff.csv is kept; the next try is in " in line]
    assert len(told) == 2
    assert told[0].endswith(" 1 second.")


def test_sign_in_page_no_receipt(district: District) -> None:
    source = district.export("staff.csv", roster())
    district.server.faults = [status(200)]
    assert district.run()[0] == 5
    assert source.exists()


def test_kill_before_receipt_sends_once(district: District) -> None:
    source = district.export("staff.csv", roster())
    district.server.faults = [status(503, Retry_After="30")]
    process = district.start("run")
    while district.server.faults:
        time.sleep(0.02)
    time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert source.exists()
    with sqlite3.connect(district.home / "state/journal.sqlite3") as journal:
        ((key, state),) = journal.execute("select idempotency_key, state from delivery").fetchall()
    journal.close()
    assert state == "spooled"
    assert district.run_process()[0] == 0
    assert [each.key for each in district.server.received] == [key]
    assert district.names("partial/archive") == ["staff.csv", "staff.results.csv"]


def test_kill_after_receipt_sends_once(district: District) -> None:
    district.export("staff.csv", roster())
    district.server.faults = [lost_answer, status(503, Retry_After="30")]
    process = district.start("run")
    while district.server.faults:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert district.run()[0] == 0
    assert len(district.server.runs) == 1
    assert district.names("partial") == ["archive"]


def test_crash_before_archiving_sends_once(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    district.export("staff.csv", roster())
    with monkeypatch.context() as patch:
        patch.setattr(archive, "_put_away", interrupt)
        assert district.command("run").returncode == 130
    assert (len(district.server.received), district.names("partial")) == (1, ["staff.csv"])
    assert district.run()[0] == 0
    assert len(district.server.received) == 1
    assert district.names("partial/archive") == ["staff.csv", "staff.results.csv"]


def test_crash_while_skipping_sends_none(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    district.write_settings(full__sync__enabled="true", full__sync__folder="full")
    for age_hours, name in ((3, "monday.csv"), (2, "tuesday.csv"), (1, "wednesday.csv")):
        set_age(district.export(name, roster(), "full"), hours=age_hours)
    with monkeypatch.context() as patch:
        patch.setattr(archive, "_put_away", interrupt)
        assert district.command("run").returncode == 130
    (district.home / "full/wednesday.csv").unlink()
    assert district.run()[0] == 0
    assert district.server.received == []
    assert district.names("full/archive") == ["monday.skipped.csv", "tuesday.skipped.csv"]


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_same_file_sent_and_named(district: District) -> None:
    district.export("staff.csv", roster())
    first = district.run()[1]
    district.export("staff.csv", roster())
    second = district.run()[1]
    assert first["files"][0]["same_as_at"] is None
    assert second["files"][0]["same_as_at"] is not None
    assert len(district.server.runs) == 2


def test_lock_of_state_folder(district: District) -> None:
    district.export("staff.csv", roster())
    district.server.faults = [status(503, Retry_After="30")]
    first = district.start("run")
    while district.server.faults:
        time.sleep(0.02)
    second = district.process("run")
    first.terminate()
    first.communicate()
    assert second.returncode == 11
    assert "client.state.folder" in second.stderr
    assert first.returncode == 143


def test_only_old_archives_removed(district: District) -> None:
    district.export("staff.csv", roster())
    district.run()
    own = district.home / "partial/archive/own notes.csv"
    own.write_text("ours")
    with sqlite3.connect(district.home / "state/journal.sqlite3") as journal:
        journal.execute("update kept set kept_at = '2026-01-01T00:00:00+00:00'")
    journal.close()
    district.run()
    assert [path.name for path in (district.home / "partial/archive").iterdir()] == ["own notes.csv"]


def test_missing_folder_stops_own_section(district: District) -> None:
    district.write_settings(full__sync__enabled="true", full__sync__folder="away")
    district.export("staff.csv", roster())
    code, report = district.run()
    assert (code, report["problems"][0]["section"]) == (3, "full.sync")
    assert len(district.server.runs) == 1


def test_newest_complete_list_sent(district: District) -> None:
    district.write_settings(full__sync__enabled="true", full__sync__folder="full")
    for age_hours, name in ((3, "monday.csv"), (1, "wednesday.csv"), (2, "tuesday.csv")):
        set_age(district.export(name, roster(), "full"), hours=age_hours)
    assert district.run()[0] == 0
    assert [each.file_name for each in district.server.received] == ["wednesday.csv"]
    archived = ["monday.skipped.csv", "tuesday.skipped.csv", "wednesday.csv", "wednesday.results.csv"]
    assert district.names("full/archive") == archived


def test_order_of_files_and_sections(district: District) -> None:
    sections = {"full": "full", "staff": "staff", "student": "student"}
    more = {f"{key}__sync__{name}": value for key in sections for name, value in (("enabled", "true"), ("folder", key))}
    district.write_settings(**more)
    pupil = "Sam,,Okafor,sam@riverbend.example,S1,N1,Student,,7,Active"
    for folder in ("full", "staff"):
        district.export(f"{folder}.csv", roster(), folder)
    district.export("student.csv", roster(pupil), "student")
    set_age(district.export("b.csv", roster()), hours=2)
    set_age(district.export("a.csv", roster()), hours=1)
    assert district.run()[0] == 0
    names = [each.file_name for each in district.server.received]
    assert names == ["b.csv", "a.csv", "student.csv", "staff.csv", "full.csv"]


def test_too_old_list_stays(district: District) -> None:
    district.write_settings(full__sync__enabled="true", full__sync__folder="full", full__sync__max__age__hours="24")
    (district.home / "full").mkdir()
    source = district.export("full.csv", roster(), "full")
    set_age(source, hours=25)
    code, report = district.run()
    assert (code, district.server.received, source.exists()) == (0, [], True)
    assert "full.csv is older than 24 hours" in report["notices"][0]


def test_newer_list_replaces_unsent_copy(district: District) -> None:
    district.write_settings(full__sync__enabled="true", full__sync__folder="full")
    district.export("full.csv", roster(), "full")
    district.server.faults = [status(503, Retry_After="3600")]
    district.run()
    district.export("full.csv", roster(DANA.replace("T1", "T22")), "full")
    assert district.run()[0] == 0
    (received,) = district.server.received
    assert b"T22" in received.body
    assert district.names("full/archive") == ["full.csv", "full.results.csv", "full.skipped.csv"]


def test_temporary_files_and_links_skipped(district: District) -> None:
    for name in ("x.csv.part", "x.csv.tmp", "~$x.csv", ".x.csv", "x.txt"):
        district.export(name, roster())
    (district.home / "partial/folder.csv").mkdir()
    (district.home / "partial/link.csv").symlink_to(district.export("outside.csv", roster(), "elsewhere"))
    assert district.run() == (0, {"schema_version": 1, "files": [], "problems": [], "notices": []})


def test_ready_file_awaited_and_removed(district: District) -> None:
    district.write_settings(partial__sync__ready__file="export.done", partial__sync__file__pattern="*")
    source = district.export("staff.csv", roster())
    district.run()
    assert source.exists()
    ready = district.export("export.done", "")
    assert district.run()[0] == 0
    assert not source.exists()
    assert not ready.exists()
    assert [each.file_name for each in district.server.received] == ["staff.csv"]


def test_ready_file_of_two_sections(district: District) -> None:
    district.write_settings(
        partial__sync__ready__file="export.done",
        partial__sync__file__pattern="changes*.csv",
        full__sync__enabled="true",
        full__sync__folder="partial",
        full__sync__ready__file="export.done",
        full__sync__file__pattern="all*.csv",
    )
    district.export("changes.csv", roster())
    district.export("all.csv", roster())
    ready = district.export("export.done", "")
    assert district.run()[0] == 0
    assert [each.file_name for each in district.server.received] == ["changes.csv", "all.csv"]
    assert not ready.exists()


def test_growing_file_waits(district: District) -> None:
    district.write_settings(client__settle__seconds="1")
    source = district.export("staff.csv", roster())
    process = district.start("run", "--json")
    whole = roster(*(DANA.replace("T1", f"T{n}").replace("dana@", f"dana{n}@") for n in range(200)))
    with source.open("a") as file:
        for line in whole.splitlines(keepends=True)[2:]:
            file.write(line)
            file.flush()
            time.sleep(0.02)
            if process.poll() is not None:
                break
        out, _ = process.communicate()
        assert district.server.received == []
        still = "staff.csv is still being written, or in use by another program. The next pass looks again."
        assert json.loads(out)["notices"] == [still]
        source.write_text(whole)
    assert district.run()[0] == 0
    assert [each.body.decode() for each in district.server.received] == [whole]
