"""Episodes as documents: with words in place of looks, or interleaved with pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flamingo.foundation.randomness import generator
from flamingo.miniature.descriptions import describe, random_style
from flamingo.miniature.episodes import Episode, training_episode
from flamingo.miniature.looks import Look
from flamingo.miniature.render import render_clip, render_scene
from flamingo.miniature.scene import Clip
from flamingo.sequence.interleaved import Interleaved
from flamingo.sequence.visual import Visual

_AFTER_LOOK = (" ", " ", "\n", "\n", ": ", ". ", " . ", " = ", ", ")
_AFTER_TEXT = ("\n", "\n", "\n", " . ", "\n\n", " ; ")


@dataclass(frozen=True)
class TextDocument:
    """A document in which words stand for the looks.

    Args:
        text: all of it.
        look_spans: the characters, from and to, that stand where a page has a picture. What is
            drawn is chance: no reader can foretell these words.
    """

    text: str
    look_spans: tuple[tuple[int, int], ...]


def as_text(episode: Episode, rng: np.random.Generator) -> TextDocument:
    """The episode for a reader without eyes: every look becomes words, in one style throughout."""
    style = random_style(rng, episode.needed)
    after_look = _AFTER_LOOK[rng.integers(len(_AFTER_LOOK))]
    after_text = _AFTER_TEXT[rng.integers(len(_AFTER_TEXT))]
    text, spans = "", []
    for turn in episode.turns:
        start = len(text)
        text += describe(turn.look, style) + after_look
        spans.append((start, len(text)))
        text += turn.text + after_text
    return TextDocument(text, tuple(spans))


def as_interleaved(episode: Episode, rng: np.random.Generator) -> Interleaved:
    """The episode with its looks drawn."""
    return Interleaved.of(
        *(part for turn in episode.turns for part in (draw(turn.look, rng), turn.text))
    )


def draw(look: Look, rng: np.random.Generator) -> Visual:
    """A look as pixels: an image for a scene, a video for a clip."""
    if isinstance(look, Clip):
        return Visual(render_clip(look, rng))
    return Visual(render_scene(look, rng)[None])


def text_document(seed: int, index: int, num_turns: int, kind: str | None = None) -> TextDocument:
    """Text-only training document number `index`."""
    episode = training_episode(seed, index, num_turns, kind)
    return as_text(episode, generator("miniature words", seed, index))


def page_document(seed: int, index: int, num_turns: int, kind: str | None = None) -> Interleaved:
    """Interleaved training document number `index`."""
    episode = training_episode(seed, index, num_turns, kind)
    return as_interleaved(episode, generator("miniature pixels", seed, index))
