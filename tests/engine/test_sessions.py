"""Sessions follow each other on one database: none sees what another left, and none outlives a fault."""

from pathlib import Path

import duckdb
import numpy as np
import pytest

from sis_sync.engine.duckdb import Session, open_session

LIMIT_MB = 24  # no other test has this limit, so the first session here starts a database
LEFT = "SELECT table_name FROM duckdb_tables() UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal"
SETTINGS = "SELECT name, value FROM duckdb_settings() WHERE name <> 'temp_directory' ORDER BY name"
MANY = "CREATE TEMP TABLE many AS SELECT md5(number::VARCHAR) AS text FROM range(1000000) AS r(number)"


def leave_something(session: Session) -> None:
    session.connection.register("lines", {"line": np.arange(1)})
    session.run("CREATE TEMP TABLE cells (line BIGINT); CREATE TEMP VIEW roster AS SELECT * FROM cells")


def test_next_session_is_empty() -> None:
    with open_session(memory_limit_mb=LIMIT_MB) as first:
        settings = first.rows(SETTINGS)
        leave_something(first)
        with open_session(memory_limit_mb=LIMIT_MB) as beside:
            assert beside.rows(LEFT) == []
            leave_something(beside)
    with open_session(memory_limit_mb=LIMIT_MB) as after:
        assert after.rows(LEFT) == []
        assert after.rows(SETTINGS) == settings
        assert after.value("SELECT clean(' a ')") == "a"
    assert not first.folder.exists()


def test_spilled_session_leaves_no_files(tmp_path: Path) -> None:
    for _ in range(2):
        with open_session(memory_limit_mb=LIMIT_MB, temp_folder=tmp_path) as session:
            session.run(MANY)
            assert list((session.folder / "spill").iterdir())
            assert session.value("SELECT count(*) FROM many WHERE length(text) = 32") == 1_000_000
        assert list(tmp_path.iterdir()) == []


def test_session_after_a_fault() -> None:
    def fail() -> None:
        with open_session(memory_limit_mb=LIMIT_MB) as session:
            leave_something(session)
            session.run("SELECT * FROM nothing")

    with pytest.raises(duckdb.Error):
        fail()
    with open_session(memory_limit_mb=LIMIT_MB) as after:
        assert after.rows(LEFT) == []


def test_same_text_reads_own_tables() -> None:
    with open_session(memory_limit_mb=LIMIT_MB) as one, open_session(memory_limit_mb=LIMIT_MB) as other:
        one.run("CREATE TEMP TABLE cells AS SELECT 1 AS line")
        other.run("CREATE TEMP TABLE cells AS SELECT 'b' AS cell, 2 AS line")
        assert one.rows("SELECT * FROM cells") == [(1,)]
        assert other.rows("SELECT * FROM cells") == [("b", 2)]
        assert [one.value(f"SELECT {number}") for number in range(300)] == list(range(300))


def test_session_after_an_attached_database(tmp_path: Path) -> None:
    path = tmp_path / "known.duckdb"
    for number in range(2):
        with open_session(memory_limit_mb=LIMIT_MB) as session:
            session.attach(path, "known")
            session.run("CREATE TABLE IF NOT EXISTS known.lines (line BIGINT)")
            session.run(f"INSERT INTO known.lines VALUES ({number})")
            session.run("CREATE TEMP VIEW roster AS SELECT * FROM known.lines")
            assert session.value("SELECT count(*) FROM roster") == number + 1
        with open_session(memory_limit_mb=LIMIT_MB) as after:
            assert after.rows(LEFT) == []
        assert not any(path.samefile(each) for each in Path("/proc/self/fd").iterdir() if each.exists())
        assert [each.name for each in tmp_path.iterdir()] == [path.name]  # all is in the file, and no log is left
