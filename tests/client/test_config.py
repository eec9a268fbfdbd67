"""client.properties: every fault is reported with file, line, key and the right value; no input raises a bug."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit.plans import times

from sis_sync.client.config import ClientConfig, load_config, require_backend
from sis_sync.client.setting_keys import all_keys
from sis_sync.client.template import template
from sis_sync.core.errors import ConfigurationError


def load(folder: Path, text: str, **environment: str) -> ClientConfig:
    path = folder / "client.properties"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return load_config(path, environment)


def refusal(folder: Path, text: str, **environment: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        load(folder, text, **environment)
    return caught.value


def test_defaults_of_empty_file(tmp_path: Path) -> None:
    config = load(tmp_path, "")
    assert (config.backend.timeout_seconds, config.backend.retry_max_minutes) == (60, 30)
    assert (config.client.poll_seconds, config.client.settle_seconds, config.client.archive_keep_days) == (30, 10, 30)
    assert (config.client.reading.fallback_encoding, config.sections, config.warnings) == ("windows-1252", (), ())


def test_defaults_of_a_section(tmp_path: Path) -> None:
    (section,) = load(tmp_path, "full.sync.enabled=true\nfull.sync.folder=exports\n").sections
    assert (section.mode.name, section.file_pattern, section.ready_file, section.max_age_hours) == (
        "full",
        "*.csv",
        None,
        48,
    )
    assert section.folder == tmp_path / "exports"
    assert (section.archive_folder, section.failed_folder) == (section.folder / "archive", section.folder / "failed")


def test_sections_in_order_of_pass(tmp_path: Path) -> None:
    names = ("full", "staff", "student", "partial")
    text = "".join(f"{name}.sync.enabled=true\n{name}.sync.folder={name}\n" for name in names)
    assert [each.mode.name for each in load(tmp_path, text).sections] == ["partial", "students", "staff", "full"]


@pytest.mark.parametrize("folder", [r"C:\SIS\new\udata", r"\\server\share\exports\table", r"D:\Exports\ "])
def test_windows_and_unc_paths(tmp_path: Path, folder: str) -> None:
    (section,) = load(tmp_path, f"partial.sync.enabled=true\npartial.sync.folder={folder}\n").sections
    assert str(section.folder) == folder.strip()


def test_byte_order_mark_and_crlf(tmp_path: Path) -> None:
    config = load(tmp_path, "\ufeffbackend.url=https://sync.example.org\r\nclient.name=Büro 1\r\n")
    assert (config.backend.url, config.client.name) == ("https://sync.example.org", "Büro 1")


def test_variable_filled_in(tmp_path: Path) -> None:
    config = load(tmp_path, "backend.url=https://${env:SYNC_HOST}/sync\n", SYNC_HOST="sync.example.org")
    assert config.backend.url == "https://sync.example.org/sync"


def test_missing_variable_names_line(tmp_path: Path) -> None:
    error = refusal(tmp_path, "# first\nbackend.url=${env:SYNC_HOST}\n")
    assert "client.properties line 2, backend.url" in error.message
    assert "SYNC_HOST" in error.message


def test_unknown_key_suggests_closest(tmp_path: Path) -> None:
    (warning,) = load(tmp_path, "client.setle.seconds=20\n").warnings
    assert "line 1" in warning
    assert "Did you mean client.settle.seconds?" in warning


def test_duplicate_key_names_lines(tmp_path: Path) -> None:
    error = refusal(tmp_path, "client.name=a\n\nclient.name=b\n")
    assert "Line 3" in error.message
    assert "line 1" in error.message
    assert "client.properties" in error.message


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("client.poll.seconds=0", "1 to 86400"),
        ("client.poll.seconds=soon", "1 to 86400"),
        ("client.poll.seconds=٣", "1 to 86400"),
        ("backend.timeout.seconds=99999999999", "1 to 3600"),
        ("client.archive.keep.days=-1", "1 to 3650"),
        ("partial.sync.enabled=yes please", "true or false"),
        ("full.sync.max.age.hours=0", "1 to 8760"),
        ("client.file.encoding.fallback=klingon", "windows-1252"),
        ("client.file.encoding.fallback=base64", "windows-1252"),
        ("client.file.delimiter=#", "semicolon"),
        ("full.sync.file.header=first", "none"),
        ("staff.sync.file.escape=caret", "backslash"),
        ("partial.sync.file.pattern=exports/*.csv", "without folders"),
        ("partial.sync.ready.file=*.done", "export.done"),
        ("partial.sync.schedule=25:00", "06:30,18:30"),
        ("partial.sync.schedule=06:30,,18:30", "06:30,18:30"),
        ("partial.sync.enabled=true", "partial.sync.folder=PATH"),
        ("backend.url=http://sync.example.org", "https://"),
        ("backend.url=sync.example.org", "https://"),
        ("backend.url=https://alice:secret@sync.example.org", "user names"),
        ("backend.url=https://sync.example.org:99999", "https://host:port"),
        ("backend.url=https://[::1", "https://host"),
        ("backend.proxy=proxy:8080", "http://host:port"),
        ("backend.ca.file=nowhere.pem", "a file that exists"),
        ("backend.api.token.file=nowhere.key", "path"),
        ("partial.sync.mapper=powerschol", "powerschool"),
        ("partial.sync.mapper=../../etc/passwd", "client.properties"),
    ],
)
def test_bad_value_names_right_one(tmp_path: Path, line: str, right: str) -> None:
    error = refusal(tmp_path, f"# a comment\n{line}\n")
    assert "client.properties line 2" in error.message
    assert line.partition("=")[0] in error.message
    assert right in error.fix


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://127.0.0.1:8000/", "http://[::1]:8000/api/v1"])
def test_plain_http_on_loopback_only(tmp_path: Path, url: str) -> None:
    assert load(tmp_path, f"backend.url={url}\n").backend.url == url.removesuffix("/").removesuffix("/api/v1")


def test_sources_of_api_key(tmp_path: Path) -> None:
    key_file = tmp_path / "api.key"
    key_file.write_text("from_file\n")
    key_file.chmod(0o600)
    assert load(tmp_path, "backend.api.token=from_line\n").backend.token.secret == "from_line"
    assert load(tmp_path, "backend.api.token.file=api.key\n").backend.token.secret == "from_file"
    config = load(tmp_path, "backend.api.token=from_line\n", SIS_SYNC_BACKEND_API_TOKEN="from_variable")
    assert config.backend.token.secret == "from_variable"


def test_public_key_file_refused(tmp_path: Path) -> None:
    (tmp_path / "api.key").write_text("secret_words\n")
    (tmp_path / "api.key").chmod(0o644)
    error = refusal(tmp_path, "backend.api.token.file=api.key\n")
    assert "chmod 600" in error.fix


def test_two_places_for_key(tmp_path: Path) -> None:
    assert "Keep one" in refusal(tmp_path, "backend.api.token=a\nbackend.api.token.file=b\n").fix


def test_key_never_shown(tmp_path: Path) -> None:
    config = load(tmp_path, "backend.api.token=secret_words\n")
    assert "secret_words" not in repr(config)
    error = refusal(tmp_path, "backend.api.token=secret\u00e9words\n")
    assert "words" not in error.message + error.fix


def test_backend_required_when_needed(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"backend\.url"):
        require_backend(load(tmp_path, ""))
    with pytest.raises(ConfigurationError, match="API key"):
        require_backend(load(tmp_path, "backend.url=https://sync.example.org\n"))


def test_mapper_lines_of_section(tmp_path: Path) -> None:
    lines = "mapper.sis.extends=base\nmapper.sis.column.custom_id=Student Number | ID\n"
    base = "mapper.base.value.status.Still here=Active\n"
    other = "mapper.other.constant.status=Active\n"
    section = "partial.sync.enabled=true\npartial.sync.folder=x\npartial.sync.mapper=sis\n"
    (found,) = load(tmp_path, section + lines + other + base).sections
    assert (found.mapping.name, found.mapping.lines) == ("sis", lines + base)


def test_bad_mapper_line_named(tmp_path: Path) -> None:
    text = "partial.sync.mapper=sis\n\nmapper.sis.column.customid=ID\n"
    error = refusal(tmp_path, text)
    assert "Line 3" in error.message
    assert "custom_id" in error.fix


@pytest.mark.parametrize(
    ("first", "second", "is_fine"),
    [
        ("students*.csv", "staff*.csv", True),
        ("*.csv", "*.tsv", True),
        ("*.csv", "*.CSV", False),
        ("students*.csv", "*_new.csv", False),
        ("a?.csv", "ab.csv", False),
        ("[a-m]*.csv", "[n-z]*.csv", True),
        ("[!a]*.csv", "b.csv", False),
        ("*", "x", False),
    ],
)
def test_shared_folder_needs_disjoint_patterns(tmp_path: Path, first: str, second: str, is_fine: bool) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "exports")
    text = (
        f"student.sync.enabled=true\nstudent.sync.folder=exports\nstudent.sync.file.pattern={first}\n"
        f"staff.sync.enabled=true\nstaff.sync.folder=link\nstaff.sync.file.pattern={second}\n"
    )
    if is_fine:
        assert len(load(tmp_path, text).sections) == 2
    else:
        error = refusal(tmp_path, text)
        assert "student.sync" in error.message
        assert "staff.sync.folder" in error.message


def test_watched_archive_refused(tmp_path: Path) -> None:
    text = "full.sync.enabled=true\nfull.sync.folder=x\nfull.sync.archive.folder=x\n"
    assert "taken again" in refusal(tmp_path, text).message


@pytest.mark.parametrize("content", [b"\xff\xfeb\x00", b"caf\xe9=1", b"backend.url\n", b"=x\n"])
def test_unreadable_settings_file_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "client.properties"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"client\.properties"):
        load_config(path, {})


def test_missing_settings_file_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.properties", tmp_path):
        with pytest.raises(ConfigurationError):
            load_config(path, {})


def test_template_loads_with_every_key(tmp_path: Path) -> None:
    text = template({"backend.url": "https://sync.example.org"})
    config = load(tmp_path, text)
    assert (config.backend.url, config.warnings, config.sections) == ("https://sync.example.org", (), ())
    assert all(f"{key.name}=" in text for key in all_keys())
    uncommented = "\n".join(line.lstrip("#") if "=" in line and line[:2] != "# " else line for line in text.split("\n"))
    assert load(tmp_path, uncommented).sections == ()


KEYS = st.sampled_from([key.name for key in all_keys()])
VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["true", "0", "${env:", "${env:}", "${env:A}", "https://[", "http://localhost:x", "~x/y", "~", "["]
    ),
    st.sampled_from(["powerschool", "oneroster", "m", "06:30", "\\\\s\\t", "C:\\x", "[!]*", "a\x00b", "." * 300]),
)
MAPPER_KEYS = st.builds(
    lambda kind, rest: f"mapper.m.{kind}.{rest}",
    st.sampled_from(["extends", "column", "constant", "value", "template", "default", "pad", "split", "first", "skip"]),
    st.one_of(st.sampled_from(["custom_id", "grade", "status.A", "email"]), st.text(max_size=10)),
)
LINES = st.lists(
    st.tuples(st.one_of(KEYS, MAPPER_KEYS, st.text(max_size=20)), VALUES), max_size=8, unique_by=lambda x: x[0]
)


@settings(
    max_examples=times(40, night=100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(lines=LINES, variable=st.text(max_size=10))
def test_random_lines_raise_no_bug(tmp_path: Path, lines: list[tuple[str, str]], variable: str) -> None:
    path = tmp_path / "client.properties"
    path.write_bytes("\n".join(f"{key}={value}" for key, value in lines).encode("utf-8", "surrogatepass"))
    with contextlib.suppress(ConfigurationError):
        load_config(path, {"A": variable})


@settings(
    max_examples=times(25, night=60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(content=st.binary(max_size=300))
def test_random_bytes_raise_no_bug(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "client.properties"
    path.write_bytes(content)
    with contextlib.suppress(ConfigurationError):
        load_config(path, {})
