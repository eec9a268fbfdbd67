"""What the client keeps of a file that was sent or refused."""

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


def test_results_that_the_server_removed(district: District) -> None:
    district.server.results = b""
    district.export("staff.csv", roster())
    code, report = district.run()
    assert (code, report["problems"], district.names("partial/archive")) == (0, [], ["staff.csv"])
    said = district.command("results", "1")
    assert (said.returncode, "Report removed." in said.stderr) == (2, True)
