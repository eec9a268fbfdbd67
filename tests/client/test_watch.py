"""The loop, as a real process: it takes files as they come, and SIGTERM finishes the file in hand."""

import signal
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest
from client.conftest import District, roster
from client.loopback_server import status
from kit.plans import at_night

from sis_sync.client import results
from sis_sync.client.watch import Stop


def wait_until_sent(district: District, count: int) -> None:
    while len(district.server.received) < count:
        time.sleep(0.05)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), *at_night((signal.SIGINT, 130))])
def test_watch_runs_until_stopped(district: District, number: signal.Signals, code: int) -> None:
    district.write_settings(client__poll__seconds="1", client__settle__seconds="1")
    process = district.start("watch")
    district.export("monday.csv", roster())
    wait_until_sent(district, 1)
    district.export("tuesday.csv", roster())
    wait_until_sent(district, 2)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Traceback" not in err
    assert district.names("partial") == ["archive"]


def test_watch_goes_on_without_room_for_results(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = [duckdb.IOException('Could not write file "/tmp/x": No space left on device')]
    write = results.write_reports

    def write_if_possible(*arguments: Any, **named: Any) -> list[Path]:
        if faults:
            raise faults.pop()
        return write(*arguments, **named)

    def stop_after_results(stop: Stop, _seconds: float) -> bool:
        if "monday.results.csv" in district.names("partial/archive"):
            stop.ask(signal.SIGTERM)
        return stop.is_asked()

    monkeypatch.setattr("sis_sync.client.follow.write_reports", write_if_possible)
    monkeypatch.setattr(Stop, "wait", stop_after_results)
    district.export("monday.csv", roster())
    done = district.command("watch")
    assert (done.returncode, faults) == (143, [])
    assert "is full" in done.stderr


@pytest.mark.night
def test_stop_ends_retry_pause(district: District) -> None:
    district.write_settings(client__poll__seconds="1")
    source = district.export("monday.csv", roster())
    district.server.faults = [status(503, Retry_After="50")]
    process = district.start("watch")
    while district.server.faults:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert (process.returncode, source.exists()) == (143, True)
    assert district.run()[0] == 0
    assert len(district.server.runs) == 1


def test_section_waits_for_schedule(district: District) -> None:
    later = time.strftime("%H:%M", time.localtime(time.time() + 7200))
    district.write_settings(
        client__poll__seconds="1",
        partial__sync__schedule=later,
        full__sync__enabled="true",
        full__sync__folder="full",
    )
    source = district.export("monday.csv", roster())
    district.export("full.csv", roster(), "full")
    process = district.start("watch")
    wait_until_sent(district, 1)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert source.exists()
    assert [each.mode for each in district.server.received] == ["full"]
