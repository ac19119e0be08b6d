from __future__ import annotations

import re

import pytest

from flamingo.foundation.randomness import generator
from flamingo.miniature.looks import counted, several, single
from flamingo.miniature.questions import ask, attribute_question
from flamingo.miniature.scene import Scene, Thing


def thing(shape: str, color: str, x: float = 0.5, y: float = 0.5) -> Thing:
    return Thing(shape=shape, color=color, size="small", texture="solid", x=x, y=y)


def test_a_question_names_a_thing_that_no_other_thing_could_be() -> None:
    star, circle = thing("star", "red", 0.2), thing("circle", "red", 0.8)
    scene = Scene((star, circle), "gray")
    assert attribute_question(scene, star, "color") == "what color is the star?"
    assert attribute_question(scene, star, "shape") == "what shape is the left thing?"
    two_stars = Scene((star, thing("star", "blue", 0.8)), "gray")
    assert attribute_question(two_stars, star, "size") == "what size is the red star?"
    assert attribute_question(two_stars, star, "color") == "what color is the left thing?"


@pytest.mark.parametrize("topic", ["color", "shape", "size", "texture"])
def test_the_answer_is_an_attribute_of_a_thing_in_the_scene(topic: str) -> None:
    for index in range(200):
        rng = generator("test attribute", index)
        scene = several(rng, 1 + index % 3)
        question, answer = ask(rng, scene, topic)
        assert question.startswith(f"what {topic} is")
        assert answer in {getattr(each, topic) for each in scene.things}


def test_a_count_is_the_number_of_things() -> None:
    for count, word in enumerate(("one", "two", "three", "four"), start=1):
        rng = generator("test count", count)
        assert ask(rng, counted(rng, count), "count")[1] == word


def test_a_place_question_is_true_of_the_scene() -> None:
    for index in range(100):
        rng = generator("test place", index)
        scene = several(rng, 2)
        question, answer = ask(rng, scene, "place")
        found = re.fullmatch(r"what is (left of|right of|above|below) the (\w+ \w+)\?", question)
        assert found is not None
        by_name = {f"{each.color} {each.shape}": each for each in scene.things}
        first, second = by_name[answer], by_name[found[2]]
        is_true = {
            "left of": first.x < second.x,
            "right of": first.x > second.x,
            "above": first.y < second.y,
            "below": first.y > second.y,
        }
        assert is_true[found[1]]


def test_yes_means_that_it_is_there() -> None:
    for index in range(200):
        rng = generator("test yes", index)
        scene = single(rng) if index % 2 else several(rng, 2)
        question, answer = ask(rng, scene, "yes_no")
        asked = set(re.findall(r"\w+", question)) - {"is", "there", "a", "the", "this", "thing"}
        told = {w for t in scene.things for w in (t.color, t.shape, t.size, t.texture)}
        if len(scene.things) == 1:
            assert (asked <= told) == (answer == "yes")
        elif answer == "yes":
            assert asked <= told
