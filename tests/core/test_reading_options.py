"""Reading options: the same words everywhere, and one options object over another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.plans import examples

from sis_sync.core.errors import ConfigurationError
from sis_sync.core.reading_options import DELIMITERS, NO_HEADER, NOTHING_SAID, ReadingOptions, options_of

_NAMES = st.text("AbÉ 1", min_size=1, max_size=6).map(str.strip).filter(bool)
_OPTIONS = st.builds(
    ReadingOptions,
    encoding=st.sampled_from(["", "windows-1250", "utf-8", "iso-8859-2", "utf-16-le"]),
    fallback=st.sampled_from(["", "windows-1252", "windows-1253"]),
    delimiter=st.sampled_from(["", *DELIMITERS.values()]),
    header_line=st.sampled_from([None, 1, 4]),
    escape=st.sampled_from(["", "backslash"]),
    footers=st.lists(st.sampled_from(["Total records: {rows}", "TRL*", "(* rows affected)"]), unique=True).map(tuple),
) | st.builds(ReadingOptions, header_line=st.just(NO_HEADER), columns=st.lists(_NAMES, min_size=1).map(tuple))


@examples(100)
@given(_OPTIONS)
def test_words_make_the_same_options(options: ReadingOptions) -> None:
    assert options_of(options.as_words()) == options


@examples(100)
@given(_OPTIONS, _OPTIONS)
def test_what_is_said_beats_what_was_said_before(first: ReadingOptions, then: ReadingOptions) -> None:
    both = then.over(first)
    assert (then.over(NOTHING_SAID), NOTHING_SAID.over(then), then.over(then)) == (then, then, then)
    for name in ("encoding", "fallback", "delimiter", "escape", "footers"):
        assert getattr(both, name) == (getattr(then, name) or getattr(first, name))
    assert both.header_line == (first.header_line if then.header_line is None else then.header_line)
    assert bool(both.columns) == (both.header_line == NO_HEADER)


@pytest.mark.parametrize(
    ("word", "delimiter"), [(";", "semicolon"), ("TAB", "tab"), ("\\t", "tab"), ("\t", "tab"), ("|", "bar"), ("", "")]
)
def test_delimiter_as_a_sign_or_a_word(word: str, delimiter: str) -> None:
    assert options_of({"delimiter": word}).delimiter == delimiter


def test_columns_say_that_there_is_no_header() -> None:
    options = options_of({"columns": "class | | last_name"})
    assert (options.header_line, options.columns) == (NO_HEADER, ("class", "", "last_name"))


@pytest.mark.parametrize(
    ("name", "word"),
    [
        *(("encoding", word) for word in ("base64", "utf-7", "utf-32", "nothing", "a\0b", "unicode_escape", "Ä")),
        ("encoding_fallback", "rot13"),
        *(("delimiter", word) for word in ("#", ",,")),
        *(("header", word) for word in ("0", "-1", "1001", "first", "1.5", "²")),
        *(("columns", word) for word in ("|", " | | ")),
        ("escape", "apostrophe"),
        ("footer", "x" * 4001),
        ("footer", " | ".join(str(number) for number in range(21))),
        ("footer", "Total\nrecords"),
        ("footer", "Total: {rows} | * *"),
    ],
)
def test_wrong_word_names_the_option(name: str, word: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^--{name}: ") as error:
        options_of({name: word}, called="--{}".format)
    assert error.value.fix


def test_columns_of_a_file_with_a_header_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="columns names"):
        options_of({"header": "3", "columns": "A | B"})


def test_header_none_needs_columns() -> None:
    with pytest.raises(ConfigurationError, match="nothing names its columns"):
        options_of({"header": "none"}).refuse_unnamed_columns()
