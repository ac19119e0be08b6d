"""The kinds of training documents: which episodes they are made of, and how often."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from flamingo.foundation.errors import ConfigError
from flamingo.foundation.randomness import generator
from flamingo.miniature.episode import Episode
from flamingo.miniature.episodes import (
    binding_episode,
    caption_episode,
    card_episode,
    character_episode,
    claim_episode,
    clip_episode,
    dialogue_episode,
    format_episode,
    listing_episode,
    page_episode,
    question_episode,
    rule_episode,
    worded_question_episode,
)

Builder = Callable[[np.random.Generator, int], Episode]

Kinds = Mapping[str, tuple[Builder, float]]

TEXTS: Kinds = {
    "binding": (binding_episode, 0.32),
    "rule": (rule_episode, 0.15),
    "format": (format_episode, 0.09),
    "caption": (caption_episode, 0.06),
    "question": (worded_question_episode, 0.13),
    "page": (page_episode, 0.06),
    "card": (card_episode, 0.03),
    "listing": (listing_episode, 0.06),
    "clip": (clip_episode, 0.03),
    "dialogue": (dialogue_episode, 0.04),
    "claim": (claim_episode, 0.03),
}
"""The kinds of text documents, each with its share. Dialogues, claims and questions on motions and
signs are only ever read: tasks with pictures of these kinds are held out."""

PAGES: Kinds = {
    "binding": (binding_episode, 0.20),
    "character": (character_episode, 0.15),
    "rule": (rule_episode, 0.12),
    "format": (format_episode, 0.08),
    "caption": (caption_episode, 0.05),
    "question": (question_episode, 0.30),
    "page": (page_episode, 0.03),
    "card": (card_episode, 0.02),
    "listing": (listing_episode, 0.05),
}
"""The kinds of interleaved pages, each with its share. Those in which a clip would come are drawn
again, so captions and formats are a little rarer than that."""


def with_share(kinds: Kinds, name: str, share: float) -> Kinds:
    """The same kinds, one of them with another share; the others keep their proportions.

    Args:
        kinds: builders with their shares.
        name: one of them.
        share: of all documents, from 0 to below 1.

    Raises:
        ConfigError: there is no such kind, or no such share.
    """
    if name not in kinds or not 0 <= share < 1:
        raise ConfigError(
            f"The kind {name!r} cannot have a share of {share}.\n"
            f"The kinds are {', '.join(kinds)}; a share is from 0 to below 1."
        )
    others = sum(each for kind, (_, each) in kinds.items() if kind != name)
    return {
        kind: (builder, share if kind == name else each * (1 - share) / others)
        for kind, (builder, each) in kinds.items()
    }


def training_episode(
    seed: int, index: int, num_turns: int, kind: str | None = None, kinds: Kinds = TEXTS
) -> Episode:
    """Episode number `index`: of a given kind, or of a kind drawn by its share.

    Args:
        seed: names the whole collection of episodes.
        index: number of the episode.
        num_turns: how many looks.
        kind: one of `kinds`.
        kinds: what there is to choose from.
    """
    rng = generator("miniature episode", seed, index)
    shares = np.array([share for _, share in kinds.values()])
    drawn = kind or list(kinds)[rng.choice(len(shares), p=shares / shares.sum())]
    return kinds[drawn][0](rng, num_turns)
