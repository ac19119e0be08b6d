from __future__ import annotations

import pytest
import torch

from flamingo.foundation.errors import ConfigError
from flamingo.foundation.randomness import generator
from flamingo.miniature.contrastive_data import (
    MAX_TOKENS,
    NUM_GLYPHS,
    WORDS,
    ContrastiveSource,
    caption_words,
    encode,
)
from flamingo.miniature.names import TRAIN_NAMES
from flamingo.miniature.scene import HELD_OUT_PAIRS, Scene, Thing, random_scene

PLAIN = {"mean": [0.5] * 3, "std": [0.25] * 3}


def test_a_batch_is_a_function_of_its_step():
    source = ContrastiveSource(seed=1, batch_size=16, **PLAIN)
    again = ContrastiveSource(seed=1, batch_size=16, **PLAIN).batch(3)
    batch = source.batch(3)
    assert all(torch.equal(batch[name], again[name]) for name in batch)
    assert not torch.equal(batch["pixels"], source.batch(4)["pixels"])


def test_a_batch_fits_the_two_towers():
    batch = ContrastiveSource(seed=0, batch_size=16, **PLAIN).batch(0)
    assert batch["pixels"].shape == (16, 3, 64, 64)
    assert -2.0 <= batch["pixels"].min() < batch["pixels"].max() <= 2.0
    assert batch["token_ids"].shape == batch["token_mask"].shape
    assert batch["token_ids"].shape[1] <= MAX_TOKENS
    assert torch.equal(batch["token_mask"] == 1, batch["token_ids"] != 0)
    assert (batch["token_mask"].sum(1) >= 1).all()


def test_captions_differ_where_their_pictures_do():
    batch = ContrastiveSource(seed=0, batch_size=128, glyph_share=0.0, **PLAIN).batch(0)
    captions = {tuple(row.tolist()) for row in batch["token_ids"]}
    assert len(captions) > 100


def test_no_caption_tells_of_a_held_out_pair():
    source = ContrastiveSource(seed=0, batch_size=64, glyph_share=0.0, **PLAIN)
    held_out = {f" {color} {shape} " for color, shape in HELD_OUT_PAIRS}
    for step in range(4):
        for row in source.batch(step)["token_ids"].tolist():
            text = " ".join(["", *(WORDS[i] for i in row if i), ""])
            assert not any(pair in text for pair in held_out)


@pytest.mark.parametrize("kept", ["shape", "color", "size", "texture", "place", "background"])
def test_the_kept_attribute_is_always_told_and_others_not_always(kept):
    rng = generator("captions", kept)
    scene = Scene((Thing("star", "red", "small", "dotted", 0.1, 0.1),), "white")
    told = {"shape": "star", "color": "red", "size": "small", "texture": "dotted"}
    told |= {"place": "top", "background": "white"}
    captions = [caption_words(scene, kept, rng) for _ in range(40)]
    for attribute, word in told.items():
        share = sum(word in caption for caption in captions) / len(captions)
        assert share == 1.0 if attribute == kept else 0.2 < share < 0.95


def test_every_caption_has_room():
    rng = generator("captions")
    for _ in range(100):
        words = caption_words(random_scene(rng, num_things=4), "shape", rng)
        assert len(words) <= MAX_TOKENS
        encode([words])


def test_characters_have_words_of_their_own_and_appear_once():
    batch = ContrastiveSource(
        seed=0, batch_size=16, glyph_share=1.0, sign_share=0.0, **PLAIN
    ).batch(0)
    names = [WORDS[i] for i in batch["token_ids"][:, 1].tolist()]
    assert len(set(names)) == 16
    assert all(name.startswith("glyph") for name in names)


def test_impossible_batches_are_named():
    with pytest.raises(ConfigError, match=r"they are 1 and 0.125"):
        ContrastiveSource(seed=0, batch_size=1, **PLAIN)
    with pytest.raises(ConfigError, match=r"between 0 and 0.5, but they are 2048 and 0.75"):
        ContrastiveSource(seed=0, batch_size=2 * NUM_GLYPHS, glyph_share=0.75, **PLAIN)
    with pytest.raises(ConfigError, match=r"sign_share must be between 0 and what glyph_share=0.5"):
        ContrastiveSource(seed=0, batch_size=16, glyph_share=0.5, sign_share=0.75, **PLAIN)
    num = len(TRAIN_NAMES)
    ContrastiveSource(seed=0, batch_size=num, glyph_share=0.0, sign_share=1.0, **PLAIN)
    with pytest.raises(ConfigError, match=rf"make {num + 1} signs .* but there are {num} diff"):
        ContrastiveSource(seed=0, batch_size=num + 1, glyph_share=0.0, sign_share=1.0, **PLAIN)


def test_signs_are_captioned_by_their_syllables_in_order():
    batch = ContrastiveSource(seed=0, batch_size=32, glyph_share=0.0, sign_share=1.0, **PLAIN)
    rows = batch.batch(0)["token_ids"].tolist()
    captions = [[WORDS[i] for i in row] for row in rows]
    names = [first[-2:] + last[-2:] for sign, first, last in captions if sign == "sign"]
    assert len(set(names)) == 32
    assert set(names) <= set(TRAIN_NAMES)
    # Each syllable has to decide some of the pairs.
    assert len({name[:2] for name in names}) < 32 > len({name[2:] for name in names})
