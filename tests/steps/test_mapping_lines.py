"""Mapper lines that cannot be followed: each is refused with its line, its key, what is wrong and what is right."""

import pytest

from sis_sync.core.errors import ConfigurationError
from sis_sync.formats.mapping_lines import parse_mapping


@pytest.mark.parametrize(
    ("line", "wrong", "right"),
    [
        ("mapper.x.colunm.email=Mail", 'there is no kind of line "colunm"', "Did you mean column?"),
        ("mapper.x.column.emial=Mail", 'names the field "emial"', "Did you mean email?"),
        ("mapper.x.extends=oneroser", 'no mapping preset "oneroser"', "Did you mean oneroster?"),
        ("mapper.x=Mail", "is no mapper line", "mapper.NAME.KIND.FIELD=VALUE"),
        ("mapper.x.skip=parent", "names no header", "mapper.NAME.skip.HEADER="),
        ("mapper.x.value.status=Active", "does not say which value becomes another", ".FROM=TO"),
        ("mapper.x.column.email.work=Mail", "goes on after the field", "End the key after the field"),
        ("mapper.x.pad.email=6", "only custom_id is padded", "pad.custom_id=6"),
        ("mapper.x.split.last_name=Name", "does not say how to split", 'before ","'),
        ("mapper.x.template.email={a", "has a brace", "{field:lower}"),
    ],
)
def test_a_wrong_line_says_what_would_be_right(line: str, wrong: str, right: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_mapping(f"# a comment\n{line}\n")
    assert wrong in refused.value.message
    assert right in str(refused.value.fix)


def test_the_line_is_named_by_its_number_and_key() -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_mapping("# a comment\nmapper.x.colunm.email=Mail\n")
    assert refused.value.message.startswith("Line 2: mapper.x.colunm.email")
