"""Episodes as documents: with words in place of looks, or interleaved with pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flamingo.foundation.randomness import generator
from flamingo.miniature.descriptions import describe, plain_style, random_style
from flamingo.miniature.episode import Episode
from flamingo.miniature.glyphs import draw_glyph
from flamingo.miniature.kinds import PAGES, training_episode
from flamingo.miniature.lists import glossary, pick, repeated_list
from flamingo.miniature.looks import Character, Look
from flamingo.miniature.render import render_clip, render_scene, render_succession
from flamingo.miniature.scene import Clip, Succession
from flamingo.miniature.signs import Sign, render_sign
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


def as_text(episode: Episode, rng: np.random.Generator, *, is_plain: bool = False) -> TextDocument:
    """The episode for a reader without eyes: every look becomes words, in one style throughout."""
    needed = episode.needed
    style = plain_style(needed) if is_plain else random_style(rng, needed)
    after_look = _AFTER_LOOK[rng.integers(len(_AFTER_LOOK))]
    after_text = _AFTER_TEXT[rng.integers(len(_AFTER_TEXT))]
    text, spans = "", []
    for turn in episode.turns:
        start = len(text)
        assert not isinstance(turn.look, Character)
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
    """A look as pixels: a video for a clip, an image for everything else."""
    match look:
        case Clip():
            return Visual(render_clip(look, rng))
        case Succession():
            return Visual(render_succession(look, rng))
        case Sign():
            return Visual(render_sign(look, rng)[None])
        case Character():
            return Visual(draw_glyph(look.alphabet, look.number, rng)[None])
        case _:
            return Visual(render_scene(look, rng)[None])


LISTS = {"repeated_list": repeated_list, "glossary": glossary, "pick": pick}


def list_document(seed: int, index: int, num_turns: int, kind: str) -> TextDocument:
    """Training document number `index` of one of the kinds in `LISTS`."""
    return TextDocument(*LISTS[kind](generator("miniature list", seed, index), num_turns))


PLAIN_KINDS = ("binding", "binding", "binding", "binding", "caption", "rule", "listing")
"""What plain documents are: mostly names for looks, which take longest to learn."""


def text_document(
    seed: int, index: int, num_turns: int, kind: str | None = None, *, is_plain: bool = False
) -> TextDocument:
    """Text-only training document number `index`.

    Args:
        seed: names the whole collection of documents.
        index: number of the document.
        num_turns: how many looks.
        kind: one of `TEXTS`; drawn by their shares if not given.
        is_plain: whether looks are described as shortly as can be; a language model learns to
            copy from such documents many times sooner. Then the kind is one of `PLAIN_KINDS`.
    """
    rng = generator("miniature words", seed, index)
    if is_plain and kind is None:
        kind = PLAIN_KINDS[rng.integers(len(PLAIN_KINDS))]
    return as_text(training_episode(seed, index, num_turns, kind), rng, is_plain=is_plain)


def page_document(seed: int, index: int, num_turns: int, kind: str | None = None) -> Interleaved:
    """Interleaved training document number `index`."""
    episode = training_episode(seed, index, num_turns, kind, PAGES)
    return as_interleaved(episode, generator("miniature pixels", seed, index))
