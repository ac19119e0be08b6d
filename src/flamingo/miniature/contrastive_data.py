"""Pairs of a drawn picture and a caption of some of what it shows, to train the vision encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from flamingo.foundation.errors import ConfigError
from flamingo.foundation.randomness import generator
from flamingo.miniature.glyphs import draw_glyph
from flamingo.miniature.names import SYLLABLES, TRAIN_NAMES
from flamingo.miniature.render import render_scene
from flamingo.miniature.scene import (
    BACKGROUNDS,
    COLORS,
    HELD_OUT_PAIRS,
    SHAPES,
    SIZES,
    TEXTURES,
    Scene,
    Thing,
    arrange,
    random_scene,
)
from flamingo.miniature.signs import Sign, render_sign

NUM_GLYPHS = 1024
"""Invented characters that have a word of their own; those of other alphabets stay unseen."""

_GLYPHS_PER_ALPHABET = 16
_PLACES = ("top", "bottom", "left", "right", "center")
_GLYPH_WORDS = tuple(f"glyph{i}" for i in range(NUM_GLYPHS))
_READ_WORDS = tuple(f"{place}-{s}" for place in ("first", "last") for s in SYLLABLES)
WORDS = (
    *("<PAD>", "and", "on", "at", "glyph", "sign"),
    *(*SHAPES, *COLORS, *SIZES, *TEXTURES, *BACKGROUNDS, *_PLACES, *_READ_WORDS, *_GLYPH_WORDS),
)
"""All words of the captions; the place in this list is the token id."""

MAX_TOKENS = 40

_ID = {word: i for i, word in enumerate(WORDS)}
_VALUES = {"shape": SHAPES, "color": COLORS, "size": SIZES, "texture": TEXTURES}
_CHANGES = ("shape",) * 3 + ("texture",) * 2 + ("color", "size", "background", "place")
_NUM_THINGS = (1, 1, 1, 1, 2, 2, 2, 3, 3, 4)
_KEPT = 0.6
_FAMILY = 4


@dataclass(frozen=True)
class ContrastiveSource:
    """Batches of captioned pictures in which every attribute decides some of the pairs.

    Pictures come in families of up to four that differ in one attribute of one thing, the
    others being the same; a caption drops other attributes at random, but never that one. So no
    attribute can be left out of the features, even where another one would tell most
    pictures of a batch apart: without this, shape comes long after color.

    A share of the pictures shows invented characters, each captioned by its own word, so that
    strokes are told apart too. Another share shows signs, captioned by their two syllables.

    Args:
        seed: decides all draws, together with the step.
        batch_size: pictures per batch.
        mean: what is subtracted from each channel of pixels in 0..1.
        std: what each channel is then divided by.
        size: height and width of the pictures.
        glyph_share: share of the batch that shows invented characters.
        sign_share: share of the batch that shows signs.
        name: how this source is called in reports.
        weight: the paper's λ of this source.
    """

    seed: int
    batch_size: int
    mean: Sequence[float]
    std: Sequence[float]
    size: int = 64
    glyph_share: float = 0.125
    sign_share: float = 0.125
    name: str = "captioned scenes"
    weight: float = 1.0

    def __post_init__(self) -> None:
        most = min(1.0, NUM_GLYPHS / max(1, self.batch_size))
        if self.batch_size < 2 or not 0.0 <= self.glyph_share <= most:
            raise ConfigError(
                f"batch_size must be at least 2 and glyph_share between 0 and {most:.3g}, "
                f"but they are {self.batch_size} and {self.glyph_share}."
            )
        if not 0.0 <= self.sign_share <= 1.0 - self.glyph_share:
            raise ConfigError(
                f"sign_share must be between 0 and what glyph_share={self.glyph_share} leaves of "
                f"the batch, but it is {self.sign_share}."
            )
        num_signs = int(self.batch_size * self.sign_share)
        if num_signs > len(TRAIN_NAMES):
            raise ConfigError(
                f"batch_size={self.batch_size} and sign_share={self.sign_share} make {num_signs} "
                f"signs per batch, but there are {len(TRAIN_NAMES)} different names for them. "
                "Make one of the two smaller."
            )

    def batch(self, step: int) -> dict[str, Tensor]:
        """The pictures and captions of one step, always the same for the same step."""
        rng = generator("contrastive", self.seed, step)
        num_glyphs = int(self.batch_size * self.glyph_share)
        pictures: list[np.ndarray] = []
        captions: list[list[str]] = []
        # Without replacement: two drawings of one character would be each other's wrong answer.
        for glyph in rng.permutation(NUM_GLYPHS)[:num_glyphs].tolist():
            pictures.append(_picture_of_glyph(glyph, rng, self.size))
            captions.append(["glyph", _GLYPH_WORDS[glyph]])
        for name in _similar_names(rng, int(self.batch_size * self.sign_share)):
            pictures.append(render_sign(Sign(name), rng, self.size))
            captions.append(["sign", f"first-{name[:2]}", f"last-{name[2:]}"])
        while len(pictures) < self.batch_size:
            for scene, caption in _family(rng):
                pictures.append(render_scene(scene, rng, self.size))
                captions.append(caption)
        ids, mask = encode(captions[: self.batch_size])
        pixels = normalized(np.stack(pictures[: self.batch_size]), self.mean, self.std)
        return {"pixels": pixels, "token_ids": ids, "token_mask": mask}


def encode(captions: Sequence[Sequence[str]]) -> tuple[Tensor, Tensor]:
    """Token ids, filled up with `<PAD>`, and 1 where a token is real."""
    length = max(len(caption) for caption in captions)
    ids = torch.zeros(len(captions), length, dtype=torch.int64)
    for row, caption in enumerate(captions):
        ids[row, : len(caption)] = torch.tensor([_ID[word] for word in caption])
    return ids, (ids != 0).long()


def normalized(pictures: np.ndarray, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Pictures as a float tensor [batch, 3, height, width], each channel about -2 to 2."""
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    shift, scale = torch.tensor(mean).view(3, 1, 1), torch.tensor(std).view(3, 1, 1)
    return (pixels / 255.0 - shift) / scale


def caption_words(scene: Scene, kept: str, rng: np.random.Generator) -> list[str]:
    """A caption that always tells the attribute `kept`, and the other ones now and then."""
    words: list[str] = []
    for i in rng.permutation(len(scene.things)).tolist():
        phrase = _phrase(scene.things[i], kept, rng)
        words += ["and", *phrase] if words and phrase else phrase
    if kept == "background" or not words or rng.random() < _KEPT:
        words += ["on", scene.background]
    return words


def _phrase(thing: Thing, kept: str, rng: np.random.Generator) -> list[str]:
    is_told = dict(
        zip(
            ("size", "texture", "color", "shape", "place"),
            (rng.random(5) < _KEPT).tolist(),
            strict=True,
        )
    )
    is_told[kept] = True
    words = [
        getattr(thing, attribute)
        for attribute in ("size", "texture", "color", "shape")
        if is_told[attribute]
    ]
    return [*words, "at", *thing.place.split()] if is_told["place"] else words


def _family(rng: np.random.Generator) -> list[tuple[Scene, list[str]]]:
    """Up to four scenes that differ in one attribute, each with a caption that tells it."""
    first = random_scene(rng, num_things=_NUM_THINGS[rng.integers(len(_NUM_THINGS))])
    change = _CHANGES[rng.integers(len(_CHANGES))]
    if change == "place":
        scenes = [first, *(arrange(rng, first.things, first.background) for _ in range(3))]
    elif change == "background":
        scenes = [Scene(first.things, background) for background in BACKGROUNDS]
    else:
        scenes = _with_changed_thing(first, change, rng)
    return [(scene, caption_words(scene, change, rng)) for scene in scenes]


def _with_changed_thing(first: Scene, change: str, rng: np.random.Generator) -> list[Scene]:
    thing, *others = first.things
    values = [v for v in rng.permutation(_VALUES[change]).tolist() if v != getattr(thing, change)]
    changed = [replace(thing, **{change: value}) for value in values]
    allowed = [t for t in changed if (t.color, t.shape) not in HELD_OUT_PAIRS]
    scenes = [first]
    for other in allowed[: _FAMILY - 1]:
        things = (other, *others)
        # A larger thing needs another place.
        is_same_size = other.size == thing.size
        scenes.append(
            Scene(things, first.background)
            if is_same_size
            else arrange(rng, things, first.background)
        )
    return scenes


def _similar_names(rng: np.random.Generator, num: int) -> list[str]:
    """Different names of few syllables, so that each syllable decides some of the pairs."""
    count = 2
    while True:
        chosen = {SYLLABLES[i] for i in rng.permutation(len(SYLLABLES))[:count]}
        names = [name for name in TRAIN_NAMES if {name[:2], name[2:]} <= chosen]
        if len(names) >= num:
            return [names[i] for i in rng.permutation(len(names))[:num]]
        count += 1


def _picture_of_glyph(glyph: int, rng: np.random.Generator, size: int) -> np.ndarray:
    alphabet, character = divmod(glyph, _GLYPHS_PER_ALPHABET)
    picture = draw_glyph(alphabet, character, rng, size)
    return 255 - picture if rng.random() < 0.5 else picture
