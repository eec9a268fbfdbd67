"""Files that are written whole or not at all."""

import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sis_sync.core.whole_files import CHUNK_BYTES, chunks_of, replaced_whole, sha256_of, sync_folder, write_whole


def interrupted() -> Iterator[bytes]:
    yield b"half of it"
    raise OSError(errno.ENOSPC, "No space left on device")


def test_written_with_its_digest(tmp_path: Path) -> None:
    target = tmp_path / "list.csv"
    assert write_whole(target, [b"a,", b"b\n"]) == hashlib.sha256(b"a,b\n").hexdigest()
    assert target.read_bytes() == b"a,b\n"
    assert list(tmp_path.iterdir()) == [target]


def test_interrupted_keeps_old_file(tmp_path: Path) -> None:
    target = tmp_path / "list.csv"
    target.write_bytes(b"old")
    with pytest.raises(OSError, match="No space"):
        write_whole(target, interrupted())
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_draft_of_a_crash_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "list.csv.part").write_bytes(b"a longer text that a crash left")
    write_whole(tmp_path / "list.csv", [b"new"])
    assert (tmp_path / "list.csv").read_bytes() == b"new"
    assert not (tmp_path / "list.csv.part").exists()


def test_target_appears_last(tmp_path: Path) -> None:
    target = tmp_path / "list.csv"
    with replaced_whole(target) as draft:
        draft.write_bytes(b"new")
        assert not target.exists()
    assert target.read_bytes() == b"new"


@pytest.mark.skipif(os.name == "nt", reason="Windows rules rights by the folder")
def test_only_the_owner_reads(tmp_path: Path) -> None:
    write_whole(tmp_path / "list.csv", [b"new"])
    with replaced_whole(tmp_path / "other.csv") as draft:
        draft.unlink()
        draft.write_bytes(b"new")
        draft.chmod(0o644)
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in ("list.csv", "other.csv")} == {0o600}


@pytest.mark.skipif(os.name == "nt", reason="Windows opens no folders")
def test_content_is_synced_before_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, was_renamed = tmp_path / "list.csv", list[bool]()
    monkeypatch.setattr(os, "fsync", lambda _descriptor: was_renamed.append(target.exists()))
    write_whole(target, [b"new"])
    assert was_renamed == [False, True]


@pytest.mark.skipif(os.name == "nt", reason="Windows opens no folders")
def test_folder_that_cannot_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_with(number: int) -> None:
        def fsync(descriptor: int) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "fsync", fsync)

    fail_with(errno.EINVAL)
    sync_folder(tmp_path)
    fail_with(errno.EIO)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        sync_folder(tmp_path)


def test_digest_of_several_files(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(b"x" * (CHUNK_BYTES + 1))
    second.write_bytes(b"y")
    assert [len(chunk) for chunk in chunks_of(first)] == [CHUNK_BYTES, 1]
    assert sha256_of(first, second) == hashlib.sha256(b"x" * (CHUNK_BYTES + 1) + b"y").hexdigest()
