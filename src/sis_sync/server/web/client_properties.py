"""The lines of client.properties that go with a new key, ready to copy."""

from collections.abc import Iterable

SECTIONS: dict[str, tuple[str, str]] = {
    "partial": ("partial.sync", "Partial: people in the file are created or updated, nobody else is touched"),
    "full": ("full.sync", "Full: the complete list"),
    "students": ("student.sync", "Student Only: the complete list of students"),
    "staff": ("staff.sync", "Admin/Teacher/Staff: the complete list of these"),
}


def client_properties(address: str, secret: str, modes: Iterable[str]) -> str:
    """The lines: the server's address, the key, and a section for each mode that the key may use, switched off."""
    lines = ["# API key", f"backend.url={address}", f"backend.api.token={secret}"]
    for mode in modes:
        prefix, meaning = SECTIONS[mode]
        lines += ["", f"# {meaning}", f"{prefix}.enabled=false", f"{prefix}.folder=", f"{prefix}.file.pattern=*.csv"]
    return "\n".join(lines) + "\n"
