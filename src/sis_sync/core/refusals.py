"""The refusal codes: why a whole file is refused, and what to do about it. A released code never changes."""

from dataclasses import dataclass

from sis_sync.core.limits import STANDARD_LIMITS

SPLIT_NO_LIST = "Never split a complete list: people in one part would be absent from the other."

_LIMITS = (
    f"over {STANDARD_LIMITS.file_bytes >> 30} GB, {STANDARD_LIMITS.records // 1_000_000} million records, "
    f"{STANDARD_LIMITS.columns} columns or {STANDARD_LIMITS.cell_bytes >> 10} KB in a cell"
)


@dataclass(frozen=True)
class RefusalCode:
    """One reason to refuse a file, and what to do about it."""

    code: str
    when: str
    remedy: str


REFUSAL_CODES: dict[str, RefusalCode] = {
    code.code: code
    for code in (
        RefusalCode("file.not_found", "there is no such file, or it cannot be opened", "Check the path."),
        RefusalCode("file.too_large", _LIMITS, f"Leave columns out, or raise the limit. {SPLIT_NO_LIST}"),
        RefusalCode(
            "file.empty", "no bytes; or a header without rows in full, students or staff mode", "Check the export."
        ),
        RefusalCode(
            "file.not_text",
            "a workbook, archive, PDF or page instead of text; the message names the kind",
            "Save it as CSV UTF-8, or unpack it.",
        ),
        RefusalCode(
            "file.encoding", "the bytes are not text in any encoding that is tried", "Export or save it as UTF-8."
        ),
        RefusalCode(
            "file.no_header",
            "the first row is a person: no row names the columns; or a mapping names an address or a date as a header",
            "Export the names of the columns, or name them in a mapping (header=none and columns).",
        ),
        RefusalCode("file.header_duplicate", "two columns supply the same field", "Leave one of them out."),
        RefusalCode(
            "file.header_missing",
            "a field has no column; the message lists what is missing, what was found, and the closest guess",
            "Add the columns, or map others to them.",
        ),
        RefusalCode(
            "file.truncated",
            "the file ends inside a quoted cell or in the middle of its last row",
            "Export it again; send it once it is complete.",
        ),
        RefusalCode(
            "file.count_mismatch",
            "a footer says another number of records than there are",
            "Export it again; name a line that counts something else in the mapping.",
        ),
        RefusalCode(
            "file.corrections",
            "our message column in full, students or staff mode: these are failed rows, not a complete list",
            "Send it as partial.",
        ),
        RefusalCode(
            "file.header_repeated",
            "the header is repeated further down: two exports were joined, or a report has pages",
            "Export the people as one list, without a header on each page.",
        ),
    )
}
