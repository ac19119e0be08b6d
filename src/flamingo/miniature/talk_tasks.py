"""Few-shot tasks that training had in words at most: dialogues, claims, and signs to be read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flamingo.foundation.randomness import generator
from flamingo.miniature.claims import claim
from flamingo.miniature.dialogues import as_text, dialogue
from flamingo.miniature.documents import draw
from flamingo.miniature.few_shot_episodes import (
    EpisodeBuilder,
    FewShotEpisode,
    Labeled,
    independent_episode,
)
from flamingo.miniature.looks import ALL_PAIRS, several
from flamingo.miniature.names import HELD_OUT_NAMES
from flamingo.miniature.questions import ATTRIBUTES
from flamingo.miniature.signs import Sign
from flamingo.prompting.templates import Template

DIALOGUE = Template("{dialogue} Question: {question} Answer:", "answer")
_EIGHT = (*ATTRIBUTES["color"], *ATTRIBUTES["shape"])
NUM_RANKED = 10
"""Answers among which a dialogue's last one is ranked; the paper's VisDial has a hundred."""


def _talk(rng: np.random.Generator) -> Labeled:
    scene = several(rng, 2, "held_out")
    *before, (question, answer) = dialogue(rng, scene)
    while answer not in _EIGHT:
        *before, (question, answer) = dialogue(rng, scene)
    return draw(scene, rng), answer, {"dialogue": as_text(tuple(before)), "question": question}


_talks = independent_episode("dialogue", _talk, answer_field="answer")


def dialogue_episode(seed: int, index: int, num_shots: int) -> FewShotEpisode:
    """A dialogue about a picture of two things, whose last answer is chosen from ten.

    The last question asks for a color or a shape, and all eight of them are among the ten: who
    knows the kind of answer has one in eight. The first turn tells which of two things is meant.
    """
    episode = _talks(seed, index, num_shots)
    return replace(episode, candidates=_ranked(generator("ranked", seed, index), episode.answer))


def _ranked(rng: np.random.Generator, answer: str) -> tuple[str, ...]:
    (same,) = (values for values in ATTRIBUTES.values() if answer in values)
    others = [value for values in ATTRIBUTES.values() if values is not same for value in values]
    chosen = [*same, *(others[i] for i in rng.permutation(len(others)))][:NUM_RANKED]
    return tuple(chosen[i] for i in rng.permutation(NUM_RANKED))


def _claimed(rng: np.random.Generator) -> Labeled:
    one = claim(rng, ALL_PAIRS)
    return draw(one.scene, rng), one.answer, {"text": one.text}


claims_episode: EpisodeBuilder = independent_episode(
    "claim", _claimed, ("yes", "no"), answer_field="answer"
)


def _sign(rng: np.random.Generator) -> Labeled:
    name = HELD_OUT_NAMES[rng.integers(len(HELD_OUT_NAMES))]
    return draw(Sign(name), rng), name, {"question": "what does it say?"}


signs_episode: EpisodeBuilder = independent_episode("sign", _sign, answer_field="answer")
