"""Shares of the kinds of documents, and scenes in which no pair gives an answer away."""

from __future__ import annotations

from collections import Counter

import pytest

from flamingo.foundation.errors import ConfigError
from flamingo.foundation.randomness import generator
from flamingo.miniature.episodes import question_episode
from flamingo.miniature.kinds import PAGES, TEXTS, Kinds, with_share
from flamingo.miniature.looks import Look, any_scene, interchangeable
from flamingo.miniature.scene import HELD_OUT_PAIRS, Scene


@pytest.mark.parametrize("kinds", [TEXTS, PAGES])
def test_shares_are_whole(kinds: Kinds) -> None:
    assert sum(share for _, share in kinds.values()) == pytest.approx(1.0)


def test_one_share_changes_and_the_others_keep_their_proportions() -> None:
    changed = with_share(PAGES, "question", 0.6)
    assert changed["question"] == (PAGES["question"][0], 0.6)
    assert sum(share for _, share in changed.values()) == pytest.approx(1.0)
    before, after = ({k: s for k, (_, s) in each.items()} for each in (PAGES, changed))
    assert after["rule"] / after["card"] == pytest.approx(before["rule"] / before["card"])


@pytest.mark.parametrize(("name", "share"), [("questions", 0.5), ("question", 1.0)])
def test_no_other_kind_and_no_share_beyond_the_whole(name: str, share: float) -> None:
    with pytest.raises(ConfigError, match="cannot have a share"):
        with_share(PAGES, name, share)


def gives_away(look: Look) -> bool:
    """Whether some color of the scene never goes with some shape of it."""
    assert isinstance(look, Scene)
    return any(
        (one.color, other.shape) in HELD_OUT_PAIRS for one in look.things for other in look.things
    )


def test_all_colors_of_interchangeable_things_could_go_with_all_shapes() -> None:
    rng = generator("interchangeable")
    scenes = [interchangeable(rng, 2 + number % 2) for number in range(200)]
    assert Counter(len(scene.things) for scene in scenes) == {2: 100, 3: 100}
    assert not any(map(gives_away, scenes))
    assert not any(gives_away(any_scene(rng, interchangeable)) for _ in range(200))


def test_pages_ask_of_such_scenes_only() -> None:
    rng = generator("questions")
    looks = [turn.look for _ in range(60) for turn in question_episode(rng, 5).turns]
    assert any(len(look.things) == 2 for look in looks if isinstance(look, Scene))
    assert not any(map(gives_away, looks))
