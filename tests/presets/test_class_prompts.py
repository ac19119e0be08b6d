from __future__ import annotations

import pytest

from flamingo.evaluation.zero_shot_classification import PLACEHOLDER
from flamingo.presets.class_prompts import ACTION_TEMPLATES, IMAGE_TEMPLATES


@pytest.mark.parametrize("templates", [IMAGE_TEMPLATES, ACTION_TEMPLATES])
def test_every_template_has_one_place_for_the_class(templates: tuple[str, ...]) -> None:
    assert all(template.count(PLACEHOLDER) == 1 for template in templates)
    assert len(set(templates)) == len(templates)


def test_the_one_template_that_the_paper_prints_is_among_them() -> None:
    assert "A photo of a {class}" in IMAGE_TEMPLATES
