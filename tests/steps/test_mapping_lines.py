"""Wrong mapper lines: each is refused with its number, its key, the fault and the fix."""

import pytest

from sis_sync.core.errors import ConfigurationError
from sis_sync.steps.map.mapper_lines import parse_mapping


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
        ("mapper.x.pad.email=6", "only custom_id is padded", "pad.custom_id=6"),
        ("mapper.x.split.last_name=Name", "does not say how to split", 'before ","'),
        ("mapper.x.template.email={a", "has a brace", "{field:lower}"),
    ],
)
def test_wrong_line_names_the_fix(line: str, wrong: str, right: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_mapping(f"# a comment\n{line}\n")
    assert wrong in refused.value.message
    assert right in str(refused.value.fix)


def chain(number: int) -> str:
    """Mappings that each extend the next one."""
    return (
        "\n".join(f"mapper.m{index}.extends=m{index + 1}" for index in range(number))
        + f"\nmapper.m{number}.pad.custom_id=6"
    )


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
        ("#" * 500_000 + "\nmapper.x.pad.custom_id=6", "", "has 500,025 characters"),
        (chain(9), chain(12), "more than 10 mappings extend one another"),
        ("mapper.x.extends=y\nmapper.y.pad.custom_id=6", "mapper.x.extends.again=y", "continues after extends"),
    ],
    ids=["names in a template", "length of a line", "lines", "skip lines", "characters", "chain", "tree"],
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
