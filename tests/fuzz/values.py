"""The values that inputs are made of: those that people, spreadsheets, exports and attackers write."""

from sis_sync.core.fields import FIELD_NAMES

MODES = ("partial", "full", "students", "staff")
DELIMITERS = (",", ",", ",", ";", "\t", "|")
LINE_ENDS = ("\n", "\n", "\n", "\r\n", "\r\n", "\r\n", "\r", "\n\n", "\n\r\n")
ENCODINGS = (
    *("utf-8", "utf-8", "utf-8", "utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-8-sig", "cp1252", "cp1252"),
    *("utf-16", "utf-16", "utf-16-le", "utf-32", "cp1250", "cp1253", "mac_roman", "big5", "cp037"),
)
ABOVE_THE_HEADER = (
    "sep=;\n",
    '"sep=,"\r\n',
    "#TYPE x\n",
    "Riverbend\n\nPrinted,11/28/2026\n",
    "HDR|2\n",
    "1001,,,,a@x.example\n",
)
MARKS_AND_DELIMITERS = (b'"', b'""', b"'", b",", b";", b"\t", b"|", b"=", b"#", b"{", b"}", b"\\", b"${env:HOME}")
LINE_BREAKS = (b"\n", b"\r", b"\r\n", b"\n\n", b'"\n"', b'"a\nb', b"A\r\nB", b"\x0b", b"\x85", "\u2028".encode())
CONTROLS = (b"\0", b"\x1a", b"\x07", b"\x7f", b"\xc2\x80", b"\xa0", "\u200b".encode(), "\u202e".encode())
BROKEN_ENCODING = (
    *(b"\xff", b"\xc3", b"\xe2\x82", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", b"\x81"),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", "\ufffd".encode(), "Ã©".encode(), "İ".encode(), "e\u0301".encode()),
)
CELL_TEXTS = (
    b'","',
    b"=1+1",
    b"NULL",
    b"N/A",
    b"1.00E+05",
    b"0",
    b" ",
    b"-- 1 rows",
    b"%PDF-",
    b"<html>",
    b"PK\x03\x04",
)
NASTY = (*MARKS_AND_DELIMITERS, *LINE_BREAKS, *CONTROLS, *BROKEN_ENCODING, *CELL_TEXTS)

NAMES = (
    *("Ana", "José", "Zoë", "Cole, Jr.", 'Ann "Bo"', "O'Brien", "Nguyễn", "李", "Ñ\u0303"),
    *("", " Ana ", "a\nb", "\ufeffA", "\u200b", "x" * 300, "=1+1", "JosÃ©"),
)
IDENTITIES = (
    *("1001", "1002", "0007", "7", "A-1", "a-1", "\uff11\uff10", "999999999999999999999"),
    *("", "N/A", "null", "0", "1.0E+05", "a b", "x" * 65),
)
ORG_IDS = ("010", "020", "D1", "010", "020", "D1", "10", "999", "")
USER_TYPES = ("Student", "Student", "student", "Teacher", "Staff", "Administrator", "Nobody", "")
GRADES = ("", "9", "09", "K", "Unspecified", "13")
STATUSES = ("Active", "Active", "Active", "active", "Disabled", "Gone", "")
ADDRESSES = ("a@x.example", "B@X.example", "no at", "", "é@x.example", "a@localhost", '"a b"@x.example')
HEADER_ODDITIES = ("", "email", "custom_id", "Unused", "first name", "EMAIL ", "grade\n", '"', "SIS ID", "Student_id")

MAPPER_KINDS = (
    *("column", "constant", "value", "template", "default", "pad", "split", "first", "skip", "extends", "x"),
    *("create", "keep", "decode", "dates", "choose", "unique"),
)
READING_VALUES = {
    "encoding": ("windows-1250", "utf-8", "utf-16-le", "utf-16", "cp037", "ascii", "big5", "klingon", "base64"),
    "delimiter": ("comma", ";", "tab", "bar", "#"),
    "header": ("none", "1", "2", "5", "0", "1000", "x"),
    "columns": (" | ".join(FIELD_NAMES), "custom_id | | email", "|", "a@x.example | B"),
    "escape": ("backslash", "x"),
    "footer": ("Total records: {rows}", "(* rows affected) | TRL*", "*", "{rows}", "{rows}{rows}", "[", "(1"),
}
MAPPER_DETAILS = ("", "", "", "", ".*", ".", ".S", ".Student", ".a=b", ".é")
MAPPER_VALUES = (
    *("E-mail | Mail", "SIS ID", "010", "Active", "Student", "", "keep", "error", "8", "0", "-1", "99", "٣"),
    *("{custom_id}@x.example", "{last_name:upper}", "{first_name}{Nobody}", "{", "}", "{}", "{{a}}", "{a:b}"),
    *('email, before "@"', 'email, after "."', 'email, before ""', "grade", ",", "|", "oneroster", "clever", "m", "n"),
    *("{first_name:ascii:letters:lower:first 1}.{last_name:ascii}@x.example", "{email:last 3}", "number", "html"),
    *("status: Active | x*", "latest email", "email | grade", "YYYY-MM-DD", "D.M.YY", "14", "x*", "a:b"),
    *("microsoft-sds", "*", "%_", "'", "[a](b", "$1", "\\1", "1001", "x" * 300),
)
SETTING_VALUES = (
    *("", "true", "maybe", "0", "1", "-1", "99999999999", "٣", "1.5", "/tmp", "~nobody/x", "~", ".", "..", "\\\\a\\b"),
    *(
        "https://sync.example",
        "http://[::1",
        "https://a@b:99999",
        "ftp://x",
        "//",
        "[",
        "*.csv",
        "**",
        "[!",
    ),
    *("utf-16", "rot13", "zip", "nothing", "idna", "windows-1252", "${env:HOME}", "${env:}", "${env:NOPE}", "${env:"),
    *("full", "22:00-04:00", "25:00", "mon", "* * * * *", "oneroster", "own", "x" * 5000, "é", "\u2028", "C:\\a"),
)
