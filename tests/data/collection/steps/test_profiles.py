"""Steps are found by name, with settings as a recipe has them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import yaml

from flamingo.data.collection.pages import Step
from flamingo.data.collection.steps.image_sizes import ImageSize
from flamingo.data.collection.steps.language import Language
from flamingo.data.collection.steps.profiles import (
    PROFILES,
    STEPS,
    plain_steps,
    remarks,
    step_named,
    steps_of,
)
from flamingo.foundation.errors import ConfigError
from tests.data.collection.steps import classifiers_for_tests


@pytest.mark.parametrize("name", STEPS)
def test_every_step_has_a_name_a_source_and_defaults(name: str) -> None:
    step = step_named(name)
    assert isinstance(step, Step)
    assert step.name == name
    assert step.source
    assert isinstance(step.needs_pixels, bool)
    assert pickle.loads(pickle.dumps(step)) == step
    assert "Source:" in str(type(step).__doc__)


def test_the_profile_of_the_paper_has_its_order() -> None:
    assert [step.name for step in PROFILES["flamingo"]] == [
        "language",
        "explicit-words",
        "number-of-images",
        "text-quality",
        "text-repetition",
        "rendered-size",
        "image-size",
        "aspect-ratio",
        "plain-images",
        "explicit-images",
        "number-of-images",
    ]


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_read_back_from_plain_data(name: str) -> None:
    plain = json.loads(json.dumps(plain_steps(PROFILES[name])))
    assert steps_of(plain) == PROFILES[name] == steps_of(name)


@pytest.mark.parametrize("name", PROFILES)
def test_images_are_read_once(name: str) -> None:
    """Once a step needs pixels, those that do without come for what is left by the others."""
    needs = [step.needs_pixels for step in PROFILES[name]]
    first = needs.index(True)
    assert {step.name for step in PROFILES[name][first:] if not step.needs_pixels} <= {
        "number-of-images",
        "spam-paragraphs",
        "number-of-words",
    }


def test_a_recipe_names_steps_with_and_without_settings() -> None:
    recipe = """
        - language
        - image-size: {min_side: 100}
        - aspect-ratio:
        - language: {languages: [en, de]}
    """
    steps = steps_of(yaml.safe_load(recipe))
    assert steps[0] == Language()
    assert steps[1] == ImageSize(min_side=100)
    assert steps[2] == STEPS["aspect-ratio"]()
    assert steps[3] == Language(languages=("en", "de"))


def test_settings_of_a_profile_are_changed_for_all_steps_of_a_name() -> None:
    steps = steps_of("obelics", {"number-of-images": {"min_images": 2}})
    found = [step for step in steps if step.name == "number-of-images"]
    assert found == [
        step_named("number-of-images", min_images=2),
        step_named("number-of-images", min_images=2, max_images=30),
    ]
    assert len(steps) == len(PROFILES["obelics"])


def test_files_are_paths(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("one\n")
    step = step_named("explicit-words", words=str(path))
    assert step == STEPS["explicit-words"](words=path)
    assert steps_of(plain_steps([step])) == (step,)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("flamengo", "no profile 'flamengo'. Did you mean 'flamingo'"),
        (["image-sise"], "no step 'image-sise'. Did you mean 'image-size'"),
        ([{"image-size": {"min_sid": 3}}], "no setting 'image-size.min_sid'"),
        ([{"image-size": {"min_side": "x"}}], "image-size.min_side should be of type int"),
        ([{"image-size": {"min_side": -1}}], "min_side=-1"),
        ([{"image-size": 3}], "settings by their names"),
        ([{"image-size": {}, "language": {}}], "is no step"),
        ([{}], "is no step"),
        ([3], "3 is no step"),
    ],
)
def test_wrong_names_and_values_are_said(wanted: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        steps_of(wanted)


def test_what_cannot_be_changed_is_said() -> None:
    with pytest.raises(ConfigError, match="no step 'spam-paragraphs' to change"):
        steps_of("flamingo", {"spam-paragraphs": {}})


def test_a_missing_classifier_is_remarked() -> None:
    (remark,) = remarks(PROFILES["flamingo"])
    assert remark.startswith("explicit-images: no classifier is set")
    path = f"{classifiers_for_tests.__name__}:red"
    assert remarks(steps_of("flamingo", {"explicit-images": {"classifier": path}})) == ()
