"""Removes a ready file once every file that it announced has been taken, so that it cannot announce the next export."""

from collections.abc import Collection, Sequence

from sis_sync.client.folders import Scan


def remove_ready_files(scans: Sequence[Scan], complete: Collection[str]) -> None:
    """`complete` names the sections whose files were all taken; sections may share a ready file."""
    for ready in {scan.ready for scan in scans if scan.ready and scan.seen}:
        sharing = [scan for scan in scans if _ready_path(scan) == ready.path]
        if all(not scan.seen or scan.section.name in complete for scan in sharing) and ready.is_as_found:
            ready.path.unlink(missing_ok=True)


def _ready_path(scan: Scan) -> object:
    return scan.section.folder / scan.section.ready_file if scan.section.ready_file else None
