"""Each control takes away one thing, and nothing else."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.evaluation.controls import CONTROLS, GRAY, applies, controlled, derangement
from flamingo.evaluation.task import Task
from flamingo.foundation.errors import ConfigError
from flamingo.foundation.randomness import generator
from flamingo.prompting import Example, Template
from tests.evaluation.toy_task import ToyEpisode, ToyTask

COLORS = ToyTask()
QUESTION = Template("Question: {question} Answer:", "answer")


def under(control: str, task: Task = COLORS, *, shots: int = 6, index: int = 0) -> ToyEpisode:
    episode = task.build(0, index, shots)
    return controlled(episode, control, task.template, seed=0, task=task.name, index=index)


def seen(example: Example) -> list[str]:
    return [visual.fingerprint() for visual in example.visuals]


def labels(episode: ToyEpisode) -> list[str]:
    return [support.fields["output"] for support in episode.supports]


@pytest.mark.parametrize("control", CONTROLS)
def test_a_control_is_repeatable_and_leaves_the_question_alone(control: str) -> None:
    plain, changed, again = under("none"), under(control), under(control)
    assert labels(changed) == labels(again)
    assert list(map(seen, changed.supports)) == list(map(seen, again.supports))
    assert (changed.answer, changed.candidates) == (plain.answer, plain.candidates)
    assert len(changed.supports) == len(plain.supports)


def test_blank_pictures_are_gray_and_keep_their_shape() -> None:
    plain, blank = under("none", ToyTask(num_frames=3)), under("blank", ToyTask(num_frames=3))
    for before, after in zip(
        (*plain.supports, plain.query), (*blank.supports, blank.query), strict=True
    ):
        assert after.visuals[0].frames.shape == before.visuals[0].frames.shape
        assert (after.visuals[0].frames == GRAY).all()
        assert after.fields == before.fields


def test_shuffled_images_are_all_in_another_place() -> None:
    plain, shuffled = under("none"), under("shuffled-images")
    before, after = list(map(seen, plain.supports)), list(map(seen, shuffled.supports))
    assert sorted(before) == sorted(after)
    assert all(one != other for one, other in zip(before, after, strict=True))
    assert seen(shuffled.query) == seen(plain.query)
    assert labels(shuffled) == labels(plain)


def test_a_support_without_a_picture_gets_none() -> None:
    said = Example((), {"output": "red"})
    episode = ToyTask().build(0, 0, 3)
    mixed = ToyEpisode((said, *episode.supports), episode.query, episode.answer)
    shuffled = controlled(mixed, "shuffled-images", ToyTask().template, seed=0, task="t", index=0)
    assert [len(support.visuals) for support in shuffled.supports] == [0, 1, 1, 1]


def test_shuffled_labels_change_the_answer_field_alone() -> None:
    supports = tuple(
        Example((), {"question": f"what is {word}?", "answer": word}) for word in "abcdefgh"
    )
    episode = ToyEpisode(supports, Example((), {"question": "and this?"}), "a")
    changed = controlled(episode, "shuffled-labels", QUESTION, seed=0, task="t", index=0)
    answers = [support.fields["answer"] for support in changed.supports]
    assert sorted(answers) == list("abcdefgh")
    assert answers != list("abcdefgh")
    assert [s.fields["question"] for s in changed.supports] == [
        s.fields["question"] for s in supports
    ]
    assert changed.query is episode.query


def test_a_shuffled_label_says_nothing_of_its_picture() -> None:
    """Each support gets each label equally often, its own one too."""
    supports = tuple(Example((), {"output": word}) for word in "abc")
    episode = ToyEpisode(supports, Example(), "a")
    template = ToyTask().template
    orders = Counter(
        "".join(labels(controlled(episode, "shuffled-labels", template, seed=0, task="t", index=i)))
        for i in range(600)
    )
    assert len(orders) == 6
    assert min(orders.values()) > 60


@given(st.integers(0, 12), st.integers(0, 100))
def test_nothing_stays_in_its_place(size: int, seed: int) -> None:
    order = derangement(size, generator(seed))
    assert sorted(order) == list(range(size))
    assert size == 1 or not np.any(np.array(order) == np.arange(size))


def test_another_query_is_shuffled_in_another_way() -> None:
    orders = {tuple(map(str, labels(under("shuffled-labels", index=i)))) for i in range(5)}
    assert len(orders) > 1


def test_one_thing_cannot_be_shuffled() -> None:
    assert [applies("shuffled-images", shots) for shots in (0, 1, 2)] == [False, False, True]
    assert [applies("shuffled-labels", shots) for shots in (0, 1, 2)] == [False, False, True]
    assert applies("blank", 0)


def test_a_wrong_name_lists_the_right_ones() -> None:
    with pytest.raises(ConfigError, match=r"no control 'blanc'. Did you mean 'blank'\?"):
        under("blanc")
