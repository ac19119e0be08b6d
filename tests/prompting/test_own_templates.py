from __future__ import annotations

from typing import Any

import pytest

from flamingo.foundation.errors import ConfigError
from flamingo.prompting import TEMPLATES, Template, own_templates


def test_what_a_model_does_not_set_is_the_papers() -> None:
    assert own_templates(None) == own_templates({}) == dict(TEMPLATES)
    own = own_templates({"caption": "Output:{output}"})
    assert own["caption"] == Template("Output:", separator="")
    assert {**own, "caption": TEMPLATES["caption"]} == dict(TEMPLATES)


def test_a_mapping_has_more_settings() -> None:
    given = {"pattern": "Image:<image>A {output}", "instruction": "Look.\n", "ends_bare": True}
    assert own_templates({"caption": given})["caption"] == Template(
        "A", "output", "Image:", " ", "Look.\n", True
    )


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"captoin": "A {output}"}, "Did you mean 'caption'"),
        ({"caption": 3}, "the template for 'caption' is 3"),
        ({"caption": {"instruction": "a"}}, "Give a pattern"),
        ({"caption": {"pattern": "A {output}", "ends": True}}, "no setting 'ends'"),
        ({"caption": "A {question} {output}"}, r"has the fields \['output', 'question'\]"),
        ({"caption": "A {text}"}, r"examples of it have \['output'\]"),
        ({"caption": "A"}, "does not end in a field"),
    ],
)
def test_a_wrong_setting_is_refused(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        own_templates(settings)
