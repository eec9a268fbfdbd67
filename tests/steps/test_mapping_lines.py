"""Wrong mapper lines: each is refused with its number, its key, the fault and the fix."""

import pytest

from sis_sync.core.errors import ConfigurationError
from sis_sync.steps.map.mapper_lines import parse_mapping
from sis_sync.steps.map.mapping import Choice, Dates, FieldRule


@pytest.mark.parametrize(
    ("line", "wrong", "right"),
    [
        ("mapper.x.colunm.email=Mail", 'there is no kind of line "colunm"', "Did you mean column?"),
        ("mapper.x.column.emial=Mail", 'names the field "emial"', "Did you mean email?"),
        ("mapper.x.extends=oneroser", 'no mapping preset "oneroser"', "Did you mean oneroster?"),
        ("mapper.x.extends=x", "a mapping cannot extend itself", "Extend another mapping or a preset"),
        ("mapper.x.extends=y\nmapper.y.extends=x", "extend each other", "Extend another mapping or a preset"),
        ("mapper.x=Mail", "is not a mapper line", "mapper.NAME.KIND.FIELD=VALUE"),
        ("mapper.x.skip=parent", "names no header", "mapper.NAME.skip.HEADER="),
        ("mapper.x.value.status=Active", "does not say which value becomes another", ".FROM=TO"),
        ("mapper.x.column.email.work=Mail", "continues after the field", "End the key after the field"),
        ("mapper.x.pad.email=6", "only custom_id and school_district_external_id are padded", "pad.custom_id=6"),
        ("mapper.x.split.last_name=Name", "does not say how to split", 'before ","'),
        ("mapper.x.template.email={a", "has a brace", "{field:lower}"),
        ("mapper.x.template.email={a:asci}", '"asci" is not a word', "Did you mean ascii?"),
        ("mapper.x.template.email={a:first}", '"first" is not a word', "Did you mean first 3?"),
        ("mapper.x.template.email={a:}", '"" is not a word', "The words are ascii, letters"),
        ("mapper.x.create.email={a", "has a brace", "{field:lower}"),
        ("mapper.x.create.custom_id={a}", "rows are matched by it", "column.custom_id"),
        ("mapper.x.keep.password=", "it is used for newcomers anyway", "column.password"),
        ("mapper.x.keep.grade=5", "a keep line has no value", "mapper.x.create.grade=VALUE"),
        ("mapper.x.decode.last_name=xml", 'there is no decoding "xml"', "mapper.x.decode.last_name=html"),
        ("mapper.x.decode.custom_id=html", "is compared as it is", "Decode the names only"),
        ("mapper.x.choose=Primary", "does not say which row of a person counts", "latest HEADER"),
        ("mapper.x.choose=Primary:", "does not say which row of a person counts", "latest HEADER"),
        ("mapper.x.choose.status=latest Start", "continues after choose", "latest HEADER"),
        ("mapper.x.dates.grade=From | To", "only the status is made of dates", "dates.status="),
        ("mapper.x.dates.status=|", "is not one or two headers", "= | TO HEADER"),
        ("mapper.x.dates.status=A | B | C", "is not one or two headers", "= | TO HEADER"),
        ("mapper.x.dates.format=MM/DD", "is not a format of dates", "YYYY-MM-DD"),
        ("mapper.x.dates.format=DD.MMM.YYYY", "is not a format of dates", "YYYY-MM-DD"),
        ("mapper.x.dates.grace=-1", "is not a number of days", "mapper.x.dates.grace=14"),
        ("mapper.x.unique.email=yes", "only addresses are numbered", "unique.email=number"),
        ("mapper.x.unique.custom_id=number", "only addresses are numbered", "unique.email=number"),
    ],
)
def test_wrong_line_names_the_fix(line: str, wrong: str, right: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_mapping(f"# a comment\n{line}\n")
    assert wrong in refused.value.message
    assert right in str(refused.value.fix)


def test_lines_about_rows_and_dates() -> None:
    mapping = parse_mapping(
        "mapper.x.dates.grace=14\nmapper.x.dates.status= | Exit Date\nmapper.x.dates.format=D.M.YY\n"
        "mapper.x.choose=Time: of post: Main | First\nmapper.x.unique.email=number\n"
    )
    assert mapping.dates == Dates("", "Exit Date", "D.M.YY", grace=14)
    assert mapping.choice == Choice("Time: of post", ("main", "first"))
    assert mapping.numbers_addresses
    assert parse_mapping("mapper.x.choose=latest Start Date").choice == Choice("Start Date")


@pytest.mark.parametrize(
    ("own", "rule"),
    [
        ("column.grade=Year", FieldRule(columns=("Year",), keep=True)),
        ("constant.grade=5", FieldRule(constant="5")),
        ("template.grade={Year}", FieldRule(columns=("Level",), template="{Year}")),
        ("create.grade={Year}", FieldRule(columns=("Level",), keep=True, create="{Year}")),
        ("keep.grade=", FieldRule(keep=True)),
    ],
)
def test_own_line_replaces_what_is_inherited(own: str, rule: FieldRule) -> None:
    base = "mapper.base.column.grade=Level\nmapper.base.keep.grade=\n"
    assert parse_mapping(f"{base}mapper.x.extends=base\nmapper.x.{own}").rule("grade") == rule


def test_own_status_replaces_inherited_dates() -> None:
    base = "mapper.base.dates.status=From | To\nmapper.base.dates.format=MM/DD/YYYY\nmapper.x.extends=base\n"
    assert parse_mapping(f"{base}mapper.x.dates.grace=3").dates.headers() == ("From", "To")
    assert parse_mapping(f"{base}mapper.x.column.status=Status").dates.headers() == ()
    codes = "mapper.base.column.status=Code\nmapper.base.value.status.0=Active\nmapper.x.extends=base\n"
    assert parse_mapping(f"{codes}mapper.x.dates.status=From").rule("status") == FieldRule()


def chain(number: int) -> str:
    """Mappings that each extend the next one."""
    return (
        "\n".join(f"mapper.m{index}.extends=m{index + 1}" for index in range(number))
        + f"\nmapper.m{number}.pad.custom_id=6"
    )


def patterns(number: int, kind: str = "skip.a=") -> str:
    return f"mapper.x.{kind}{' | '.join(f'{each}*' for each in range(number))}\n"


def in_templates(number: int, words: str = "") -> str:
    shares = zip(
        ("email", "position", "first_name"), (number // 2, number // 4, number - number // 2 - number // 4), strict=True
    )
    return "".join(f"mapper.x.template.{name}={f'{{a{words}}}' * share}\n" for name, share in shares)


@pytest.mark.parametrize(
    ("fits", "too_large", "wrong"),
    [
        ("mapper.x.template.email=" + "{a}" * 20, "mapper.x.template.email=" + "{a}" * 21, "more than 20 names"),
        ("mapper.x.column.email=" + "a" * 3900, "mapper.x.column.email=" + "a" * 4000, "longer than 4,000 characters"),
        (
            "\n".join(f"mapper.x.value.status.{number}=Active" for number in range(5000)),
            "\n".join(f"mapper.x.value.status.{number}=Active" for number in range(5001)),
            "has 5,001 lines; the limit is 5,000",
        ),
        (
            "\n".join(f"mapper.x.skip.h{number}=no" for number in range(200)),
            "\n".join(f"mapper.x.skip.h{number}=no" for number in range(201)),
            "has 201 skip lines",
        ),
        (patterns(100) + patterns(100, "choose=b: "), patterns(101) + patterns(100, "choose=b: "), "201 values with "),
        ("mapper.x.extends=clever\n" + patterns(200), "mapper.x.extends=clever\n" + patterns(201), "the limit is 200"),
        (in_templates(40), in_templates(41), "has 41 names in braces; the limit is 40"),
        (in_templates(20, ":lower" * 5), in_templates(21, ":lower" * 5), "has 105 words after names in braces"),
        ("#" * 500_000 + "\nmapper.x.pad.custom_id=6", "", "has 500,025 characters"),
        (chain(9), chain(12), "more than 10 mappings extend one another"),
        ("mapper.x.extends=y\nmapper.y.pad.custom_id=6", "mapper.x.extends.again=y", "continues after extends"),
        ("mapper.x.extends=clever", "mapper.x.extends=clever\nmapper.x.extends.=clever", "continues after extends"),
    ],
    ids=[
        *("names in a template", "length of a line", "lines", "skip lines", "patterns", "patterns of a bundle"),
        *("names of all templates", "words of all templates", "characters", "chain", "tree", "tree by a dot"),
    ],
)
def test_size_of_a_mapping_is_bounded(fits: str, too_large: str, wrong: str) -> None:
    if too_large:
        parse_mapping(fits)
    with pytest.raises(ConfigurationError, match=wrong):
        parse_mapping(too_large or fits)


@pytest.mark.parametrize(
    "line",
    [
        "mapper.x.colunm.email=Mail",
        "mapper.x.extends=clevr",
        "mapper.x.extends=x",
        "mapper.x.split.last_name=Name",
        "mapper.x.template.email={a",
        "mapper.x.default.email=a}",
    ],
)
def test_message_has_number_and_key(line: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_mapping(f"# a comment\n{line}\n")
    assert refused.value.message.startswith(f"Line 2: {line.partition('=')[0]}")
