"""Few-shot tasks on scenes and clips of (color, shape) pairs that were never trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from flamingo.foundation.randomness import generator
from flamingo.miniature.captions import attribute, short_caption
from flamingo.miniature.documents import draw
from flamingo.miniature.few_shot_episodes import (
    EpisodeBuilder,
    FewShotEpisode,
    Labeled,
    assemble,
    independent_episode,
    naming_episode,
)
from flamingo.miniature.formats import Format
from flamingo.miniature.looks import Pair, any_clip, choose_pairs, counted, several, single
from flamingo.miniature.questions import ask, attribute_question
from flamingo.miniature.scene import (
    BACKGROUNDS,
    COLORS,
    MOTIONS,
    SHAPES,
    SIZES,
    TEXTURES,
    Motion,
    Scene,
    random_clip,
)
from flamingo.miniature.vocabulary import MOTION_PHRASES, NUMBER_WORDS
from flamingo.sequence.visual import Visual

NUM_PICTURES = 3
"""Pictures whose attributes are the candidates of a rule; there are no more than three sizes."""

_SINGLE_FIELDS = ("color", "shape", "size", "texture", "background")
_COUNTED_FIELDS = ("color", "shape", "background", "count")
_VALUES = {
    "color": COLORS,
    "shape": SHAPES,
    "size": SIZES,
    "texture": TEXTURES,
    "background": BACKGROUNDS,
    "count": NUMBER_WORDS[:4],
}


def _caption(rng: np.random.Generator) -> Labeled:
    scene = single(rng, pairs="held_out")
    return draw(scene, rng), short_caption(scene), {}


captions_episode = independent_episode("caption", _caption)


def _clip_caption(rng: np.random.Generator) -> Labeled:
    clip = any_clip(rng, "held_out")
    return draw(clip, rng), short_caption(clip), {}


clip_captions_episode = independent_episode("clip caption", _clip_caption)


def questions_episode(topic: str) -> EpisodeBuilder:
    """One question per picture, on "color", "shape" or "count"; some pictures hold two things."""

    def question(rng: np.random.Generator) -> Labeled:
        if topic == "count":
            scene = counted(rng, int(rng.integers(1, 5)), "held_out")
            asked, answer = ask(rng, scene, "count")
        else:
            scene = several(rng, int(rng.integers(1, 3)), "held_out")
            thing = scene.things[rng.integers(len(scene.things))]
            asked, answer = attribute_question(scene, thing, topic), str(getattr(thing, topic))
        return draw(scene, rng), answer, {"question": asked}

    return independent_episode(f"question {topic}", question, _VALUES[topic], "answer")


def _motion(rng: np.random.Generator) -> Labeled:
    clip = random_clip(rng, pairs="held_out")
    fields = {"question": "what does the thing do?"}
    return draw(clip, rng), MOTION_PHRASES[clip.motion], fields


motions_episode = independent_episode(
    "clip motion", _motion, tuple(MOTION_PHRASES[motion] for motion in MOTIONS), "answer"
)


def rule_episode(field: str) -> EpisodeBuilder:
    """Every shot says one attribute, and nothing but the shots tells which.

    The candidates are all attributes of the query's own picture and of two others, no two of which
    share any. So neither seeing nor the rule is enough to choose among them.
    """
    key = f"rule {field}"

    def one(rng: np.random.Generator) -> tuple[Scene, dict[str, str]]:
        if field == "count":
            scene = counted(rng, int(rng.integers(1, 5)), "held_out")
        else:
            scene = single(rng, pairs="held_out")
        return scene, {name: attribute(scene, name) for name in fields_said(field)}

    def example(rng: np.random.Generator) -> tuple[Visual, dict[str, str]]:
        scene, attributes = one(rng)
        return draw(scene, rng), attributes

    def with_others(rng: np.random.Generator, attributes: dict[str, str]) -> tuple[str, ...]:
        candidates = list(attributes.values())
        while len(candidates) < NUM_PICTURES * len(attributes):
            _, found = one(rng)
            if not set(found.values()) & set(candidates):
                candidates += found.values()
        return tuple(candidates)

    def build(seed: int, index: int, num_shots: int) -> FewShotEpisode:
        shots = [example(generator(key, seed, index, "shot", i)) for i in range(num_shots)]
        visual, attributes = example(generator(key, seed, index, "query"))
        candidates = with_others(generator(key, seed, index, "others"), attributes)
        supports: list[Labeled] = [(seen, said[field], {}) for seen, said in shots]
        return assemble(
            supports,
            (visual, attributes[field], {}),
            candidates,
            answer_field="output",
        )

    return build


def fields_said(field: str) -> tuple[str, ...]:
    """The attributes that a picture gives to the candidates of a rule.

    Things that are to be counted differ in size and texture, so these two are not among them.
    """
    return _COUNTED_FIELDS if field == "count" else _SINGLE_FIELDS


def formats_episode(key: str, forms: Sequence[Format]) -> EpisodeBuilder:
    """Captions of held-out pairs, each episode in one of `forms`, which only the shots tell."""

    def build(seed: int, index: int, num_shots: int) -> FewShotEpisode:
        form = forms[int(generator(key, seed, index).integers(len(forms)))]

        def caption(rng: np.random.Generator) -> Labeled:
            visual, answer, fields = _caption(rng)
            return visual, form.write(answer), fields

        shots = [caption(generator(key, seed, index, "shot", i)) for i in range(num_shots)]
        query = caption(generator(key, seed, index, "query"))
        return assemble(shots, query, (), answer_field="output")

    return build


def new_words_episode(num_ways: int) -> EpisodeBuilder:
    """Held-out names for held-out pairs; these differ in color and in shape, so one is enough."""

    def classes(rng: np.random.Generator, num: int) -> list[Callable[..., Visual]]:
        return [_painter(pair) for pair in choose_pairs(rng, num, "held_out")]

    return naming_episode(f"new word {num_ways}", num_ways, classes)


def clip_words_episode(num_ways: int) -> EpisodeBuilder:
    """Held-out names for motions, which no training text names."""

    def classes(rng: np.random.Generator, num: int) -> list[Callable[..., Visual]]:
        return [_animator(MOTIONS[i]) for i in rng.permutation(len(MOTIONS))[:num]]

    return naming_episode(f"clip word {num_ways}", num_ways, classes)


def _painter(pair: Pair) -> Callable[..., Visual]:
    def paint(rng: np.random.Generator, _number: int) -> Visual:
        scene: Scene = single(rng, pair)
        return draw(scene, rng)

    return paint


def _animator(motion: Motion) -> Callable[..., Visual]:
    def animate(rng: np.random.Generator, _number: int) -> Visual:
        return draw(random_clip(rng, motion=motion, pairs="held_out"), rng)

    return animate
