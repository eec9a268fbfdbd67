"""The encoding of a file: said by someone, told by its mark, found, or the fallback with what would fit better."""

from pathlib import Path

import pytest
from kit.commands import HEADER, Said, command
from kit.plans import at_night

NAMES = {
    "windows-1250": "Łukasz Żółć Stanisław Wójcik Małgorzata Dąbrowska Żaneta Głąb Paweł Świątek",
    "iso-8859-2": "Łukasz Żółć Stanisław Wójcik Małgorzata Dąbrowska Żaneta Głąb Paweł Świątek",
    "windows-1257": "Jānis Bērziņš Līga Ozoliņa Šarūnas Žukauskas Eglė Stankevičius",
    "windows-1254": "Ayşe Güneş Çiğdem Şahin İbrahim Öztürk",
    "windows-1255": "אברהם לוי דבורה כהן",
    "cp850": "Jürgen Schäfer Größe Köhler",
    "windows-1251": "Георги Димитров Мария Иванова Николай Петров",
    "windows-1253": "Γιώργος Παπαδόπουλος Μαρία Αντωνίου Ελένη Κώστας",
    "macintosh": "René Lefèvre François Noël Chloé Zoé Désirée",
    "big5": "陳小明 林美玲 王大華 李小龍",
}
# In windows-1250. Most of these letters are letters in windows-1252 too, of languages that have no such words.
CENTRAL = (
    "Jiří Dvořák Růžička Zdeněk",
    "Kovačić Đurđica Šimić Živko",
    "Gergő Szűcs Győző Zoltán",
    "Ioniţă Ţurcanu Ştefan Anghelescu",
)
WESTERN = (
    "Müller Größe Jürgen Schäfer",
    "José Núñez María Peña",
    "Åsa Öberg Björn Märta",
    "Nicolò Zanè Häkkinen Pöyhönen",
    "Þórður Guðrún Sæmundsson Sørensen",
    "Müller",
)

SOME = tuple(NAMES)[::3]  # tried by the gate


class Checker:
    """Checks files with these names."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def __call__(self, content: bytes, *options: str | Path) -> Said:
        file = self.folder / "people.csv"
        file.write_bytes(content)
        return command(self.capsys, "check", file, *options)


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Checker:
    return Checker(tmp_path, capsys)


def people(names: str) -> str:
    rows = (f"{name},,Lind,p{n}@x.example,{n},020,Student,,5,Active" for n, name in enumerate(names.split(), start=1))
    return "\n".join([HEADER, *rows]) + "\n"


@pytest.mark.parametrize("encoding", [*SOME, *at_night(*(name for name in NAMES if name not in SOME))])
def test_fallback_names_what_fits_best(check: Checker, encoding: str) -> None:
    names = NAMES[encoding]
    said = check(people(names).encode(encoding))
    assert encoding in said.out + said.err
    if said.exit_code == 0:  # a refusal prints no name
        assert f"Its bytes fit {encoding} best, which reads {', '.join(names.split()[:3])}" in said.out
    else:
        assert "file.encoding" in said.err
        assert not any(name in said.err for name in names.split())


@pytest.mark.parametrize("names", CENTRAL)
def test_fallback_names_what_has_words_of_one_language(check: Checker, names: str) -> None:
    assert "Its bytes fit windows-1250 best" in check(people(names).encode("windows-1250")).out


def test_long_words_do_not_take_hours(check: Checker) -> None:
    long = b"a" * 30_000 + b",," + b"\xf8\xaa" * 7_000 + b",a@x.example,1,020,Student,,9,Active\n"
    said = check(people(CENTRAL[0]).encode("windows-1250") + long * 20)
    assert "Its bytes fit windows-1250 best, which reads Jiří, Dvořák, Růžička" in said.out
    assert "file.too_large" in check(people("Müller").encode("windows-1252") + b"a" * 500_000 + b"\n").err


@pytest.mark.parametrize("names", WESTERN)
def test_fallback_that_fits_is_not_doubted(check: Checker, names: str) -> None:
    said = check(people(names).encode("windows-1252"))
    assert names.split()[0] in said.out
    assert "best" not in said.out


@pytest.mark.parametrize(
    "encoding",
    [
        *SOME,
        "utf-8",
        "utf-16",
        *at_night(*(name for name in NAMES if name not in SOME), "utf-8-sig", "utf-16-le", "cp037"),
    ],
)
def test_said_encoding_is_certain(check: Checker, encoding: str) -> None:
    names = NAMES.get(encoding, "José Zoë")
    said = check(people(names).encode(encoding), "--json", "--encoding", encoding)
    assert (said.exit_code, said.document["findings"]) == (0, {})
    assert said.document["file"]["rows"] == len(names.split())


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"\xef\xbb\xbf" + people("Ana").encode(), "windows-1252"),
        (people("Ana").encode("utf-16"), "utf-8"),
        (people("Ana").encode("utf-16"), "utf-16-be"),
        (people("Ana").encode("utf-16-le"), "utf-16"),
        (people("Ana\x81").encode("latin-1"), "windows-1252"),
        (people("José").encode(), "ascii"),
        (people("Ana").encode("utf-16-le")[:-1], "utf-16-le"),
    ],
)
def test_said_encoding_that_is_wrong_refuses_the_file(check: Checker, content: bytes, encoding: str) -> None:
    said = check(content, "--json", "--encoding", encoding)
    assert (said.exit_code, said.document["refused"]["code"]) == (6, "file.encoding")


def test_said_utf_8_fails_rows_only(check: Checker) -> None:
    said = check(people("José Zoë Ana").encode("windows-1252"), "--json", "--encoding", "utf-8")
    assert (said.exit_code, said.document["findings"]) == (7, {"row.encoding": 2})


def test_mapping_says_the_encoding(check: Checker) -> None:
    lines = check.folder / "m.properties"
    lines.write_text("mapper.m.encoding=windows-1250\n", encoding="utf-8")
    content = people(NAMES["windows-1250"]).encode("windows-1250")
    assert check(content, "--json", "--mapping", lines).document["file"]["encoding"] == "windows-1250"
    said = check(content, "--json", "--mapping", lines, "--encoding", "iso-8859-2")
    assert said.document["file"]["encoding"] == "iso-8859-2"


def test_file_that_ends_in_empty_blocks_was_cut_off(check: Checker) -> None:
    # After a loss of power, a file has its length but not its text.
    text = people("Ana Ben Cy Dan Eva Fay Gil").encode()[:400]
    refused = check(text + bytes(4000))
    assert refused.exit_code == 6
    assert "it was cut off" in refused.err
    assert "UTF-32" in check(people("Иван Мария").encode("utf-32-le")).err
