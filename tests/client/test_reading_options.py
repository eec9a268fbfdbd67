"""What is said about a file here, by its section, its mapping, the client or a flag, is sent with it."""

import contextlib
import csv
import sqlite3

from client.conftest import DANA, HEADER, District, roster

from sis_sync.client.journal import SCHEMA
from sis_sync.core.reading_options import OPTION_WORDS


def test_reading_options_sent_with_file(district: District) -> None:
    """The section says its encoding, the mapping its header line, the client the delimiter of all files."""
    district.write_settings(
        **{"partial.sync.file.encoding": "windows-1250", "partial.sync.mapper": "sis", "mapper.sis.header": "2"},
        **{"client.file.delimiter": "semicolon", "client.file.encoding": "utf-16-le", "client.file.footer": "TRL*"},
    )
    text = "Riverbend\n" + roster(DANA.replace("Dana", "Łucja")).replace(",", ";")
    path = district.export("staff.csv", "")
    path.write_bytes(text.encode("windows-1250"))
    assert district.run()[0] == 0
    (received,) = district.server.received
    assert received.body == text.encode("windows-1250")
    said = {"encoding": "windows-1250", "encoding_fallback": "windows-1252", "delimiter": "semicolon"}
    assert said | {"header": "2", "footer": "TRL*"} == {
        name: value for name, value in received.fields.items() if name in OPTION_WORDS
    }


def test_upload_sends_what_its_flags_say(district: District) -> None:
    district.write_settings(**{"client.file.delimiter": "tab", "mapper.sis.encoding": "windows-1252"})
    path = district.home / "one.csv"
    path.write_bytes(roster(DANA.replace("Dana", "Łucja")).replace(",", ";").encode("windows-1250"))
    flags = ("--mapper", "sis", "--encoding", "windows-1250", "--delimiter", ";", "--header-line", "1")
    done = district.command("upload", str(path), "--mode", "partial", *flags)
    assert done.returncode == 0, done.stderr
    (received,) = district.server.received
    said = [received.fields[name] for name in ("encoding", "delimiter", "header", "encoding_fallback")]
    assert said == ["windows-1250", "semicolon", "1", "windows-1252"]


def test_failed_rows_read_as_the_file_was(district: District) -> None:
    """The archived file lacks its secrets, and is therefore UTF-8, whatever its encoding was."""
    district.write_settings(**{"partial.sync.file.encoding": "windows-1250"})
    district.server.results = b'line,action,custom_id,fields,codes,message\n2,failed,T1,,email.invalid,"No address."\n'
    district.server.counts = {"failed": 1}
    path = district.export("staff.csv", "")
    text = f"{HEADER},bus,pin\n{DANA.replace('Dana', 'Łucja').replace('dana@', 'no address ')},7,1234\n"
    path.write_bytes(text.encode("windows-1250"))
    assert district.run()[0] == 7
    (failed,) = (district.home / "partial/archive").glob("*.failed.csv")
    (row,) = csv.DictReader(failed.read_text(encoding="utf-8").splitlines())
    assert (row["first_name"], row["bus"]) == ("Łucja", "7")


def test_journal_of_an_earlier_version(district: District) -> None:
    (district.home / "state").mkdir()
    with contextlib.closing(sqlite3.connect(district.home / "state/journal.sqlite3")) as database:
        database.executescript(SCHEMA.replace("    reading_options text not null default '{}',\n", ""))
    district.export("staff.csv", roster())
    assert district.run()[0] == 0
    assert len(district.server.received) == 1
