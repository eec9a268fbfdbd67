"""Check the subject of a commit message. The hook commit-msg passes the file that contains the message."""

import re
import sys
from pathlib import Path

MAX_CHARACTERS = 72
SUBJECT = re.compile(r"[a-z0-9][a-z0-9 ,._/-]*: \S.*")
# Git writes these subjects itself.
WRITTEN_BY_GIT = ("Merge ", "Revert ", "amend! ", "fixup! ", "squash! ")
SCISSORS = "# ------------------------ >8 ------------------------"


def fault_of(message: str) -> str | None:
    """Return the fault of a message that may include git's comments, or None if it has no fault."""
    lines = [line.rstrip() for line in message.partition(SCISSORS)[0].splitlines() if not line.startswith("#")]
    subject, *rest = "\n".join(lines).strip("\n").split("\n")
    if subject.startswith(WRITTEN_BY_GIT):
        return None
    if len(subject) > MAX_CHARACTERS:
        return f"The subject has {len(subject)} characters; at most {MAX_CHARACTERS} are allowed."
    if not SUBJECT.fullmatch(subject):
        return f"The subject is not `area: what`, such as `plan: keep the account of a failed row`: {subject!r}"
    if subject.endswith("."):
        return "The subject ends with a full stop: leave it out."
    if rest and rest[0]:
        return "The second line of the message is not empty."
    return None


def main() -> int:
    """Return 1, with the reason on stderr, if the message is refused."""
    fault = fault_of(Path(sys.argv[1]).read_text(encoding="utf-8"))
    if fault:
        print(f"{fault}\nThe message is kept: git commit --edit --file={sys.argv[1]}", file=sys.stderr)
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main())
