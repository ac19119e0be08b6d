"""A part of a long sequence, cut so that no text is bound to a visual that fell away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flamingo.data.encoding import Encoded
from flamingo.sequence import Sees, visual_index


@dataclass(frozen=True)
class Window:
    """A part of an encoded document.

    Args:
        encoded: token ids, loss weights, and φ that counts the visuals inside.
        visuals: which of the document's visuals are inside, from 0.
    """

    encoded: Encoded
    visuals: range


def cut_window(
    page: Encoded,
    *,
    max_tokens: int,
    max_visuals: int,
    end_of_chunk: int,
    sees: Sees,
    rng: np.random.Generator | None,
) -> Window:
    """A random window of a document: `<BOS>`, then neighboring tokens.

    A tag is in it whole or not at all. The window ends before a tag too many, behind the
    `<EOC>` that closes the text before it. Text whose visual is outside sees nothing.

    Args:
        page: the whole document, with `<BOS>` and `<EOS>`, encoded without its visuals.
        max_tokens: of the window, with `<BOS>`.
        max_visuals: of the window.
        end_of_chunk: the id of `<EOC>`.
        sees: whether text sees the visual before it or after it.
        rng: where the window's place is drawn from; without it the window is the beginning.

    Paper: Sec. 3.1 (256 tokens, the first 5 images), App. A.3.
    """
    tags = _tag_numbers(page)
    start, end = 1, min(len(page), max_tokens)
    if rng is not None and len(page) > max_tokens:
        start = int(rng.integers(1, len(page) - max_tokens + 2))
        start = _window_start(page, tags, start, end_of_chunk)
        end = min(len(page), start + max_tokens - 1)
    end = _window_end(tags, start, end, max_visuals)
    inside = [number for number in tags[start:end] if number]
    kept = range(inside[0] - 1, inside[-1]) if inside else range(0)
    whole = visual_index(tags, sees=sees)
    index = [number - kept.start if number - 1 in kept else 0 for number in whole[start:end]]
    # Before `<BOS>` there is nothing to see; behind it, what the first token sees.
    first = index[0] if sees == "next" and index else 0
    encoded = Encoded(
        token_ids=[page.token_ids[0], *page.token_ids[start:end]],
        visual_index=[first, *index],
        visuals=(),
        loss_weights=[page.loss_weights[0], *page.loss_weights[start:end]],
    )
    return Window(encoded, kept)


def _tag_numbers(page: Encoded) -> list[int]:
    """Per token, which visual's tag it belongs to, from 1; 0 for none."""
    # Only `<BOS>` and tags are never predicted, and each token of a tag sees its own visual.
    pairs = zip(page.visual_index, page.loss_weights, strict=True)
    return [0, *(0 if weight else number for number, weight in list(pairs)[1:])]


def _window_start(page: Encoded, tags: list[int], start: int, end_of_chunk: int) -> int:
    while tags[start] and tags[start] == tags[start - 1]:
        start -= 1
    # An `<EOC>` without the text that it closes would teach to say nothing.
    return start + 1 if page.token_ids[start] == end_of_chunk and start > 1 else start


def _window_end(tags: list[int], start: int, end: int, max_visuals: int) -> int:
    while end < len(tags) and tags[end] and tags[end] == tags[end - 1] and end > start:
        end -= 1
    first = next((number for number in tags[start:end] if number), None)
    if first is None or first + max_visuals not in tags[start:end]:
        return end
    return tags.index(first + max_visuals, start, end)
