"""What the client keeps of a file that was sent or refused."""

import pytest
from client.conftest import DANA, District, roster


def test_archive_without_passwords(district: District) -> None:
    district.write_settings(partial__sync__mapper="sis", mapper__sis__column__password="Startwort")
    named = roster(DANA + ",secret-1,000-11-2222").replace("status", "status,Startwort,ssn")
    district.export("staff.csv", named)
    district.export("cut.csv", named.removesuffix("2222\n") + "\nDana,secret-2")
    district.run()
    assert [each.body for each in district.server.received] == [named.encode()]
    kept = [
        path.read_text() for folder in ("archive", "failed") for path in district.home.glob(f"partial/{folder}/*.csv")
    ]
    assert "secret" not in "".join(kept) + "".join(
        path.read_text("latin-1") for path in district.home.glob("state/**/*.*")
    )
    assert roster() in kept


@pytest.mark.parametrize(("status", "title"), [(410, "Report removed"), (409, "The stored plan is damaged")])
def test_results_that_the_server_does_not_have(district: District, status: int, title: str) -> None:
    district.server.results, district.server.no_results = b"", (status, title)
    district.export("staff.csv", roster())
    code, report = district.run()
    assert (code, report["problems"], district.names("partial/archive")) == (0, [], ["staff.csv"])
    said = district.command("results", "1")
    assert (said.returncode, title in said.stderr) == ({410: 2, 409: 9}[status], True)
