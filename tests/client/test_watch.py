"""The loop, as a real process: it takes files as they come, and SIGTERM finishes the file in hand."""

import signal
import time

import pytest
from client.conftest import District, roster
from client.loopback_server import status


def wait_until_sent(district: District, count: int) -> None:
    while len(district.server.received) < count:
        time.sleep(0.05)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
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
