from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from flamingo.data import Encoded
from flamingo.data.datasets.media import IMAGES, VisualReader
from flamingo.data.datasets.pairs import PairMaker
from flamingo.data.datasets.raw_samples import BrokenSample, RawSample
from flamingo.foundation.errors import SequenceError
from flamingo.sequence import Interleaved

from .datasets_for_tests import (
    ENCODER,
    IDS,
    as_json,
    draws_of,
    no_draws,
    picture,
    raw_sample,
    text_of,
)

PICTURE = picture(50)


def make(raw: RawSample, draws: Any = no_draws, **settings: Any) -> Encoded:
    chosen = {
        "endings": (*IMAGES, "features"),
        "media_field": "image",
        "max_tokens": 64,
        "space_probability": 0.5,
        "learn_prompt": False,
        **settings,
    }
    return PairMaker(ENCODER, VisualReader(), **chosen)(raw, draws)


@pytest.mark.parametrize(
    "text",
    [
        {"txt": b"A cat.\n"},
        {"txt": b"\xef\xbb\xbfA cat."},
        {"json": as_json(text=" A cat.")},
        {"json": as_json(caption="A cat.", url="x")},
        {"json": as_json(text="A cat.", prompt=None)},
        {"txt": b"A cat.", "json": b"what a program left here"},
    ],
)
def test_the_pair_of_the_paper(text: dict[str, bytes]) -> None:
    encoded = make(raw_sample(png=PICTURE, **text))
    assert text_of(encoded) == "<|endoftext|><image>A cat.<EOC><|endoftext|>"
    assert encoded.visual_index[:2] == [0, 1]
    assert encoded.loss_weights[:3] == [0.0, 0.0, 1.0]
    [visual] = encoded.visuals
    assert (visual.width, visual.height) == (12, 8)  # type: ignore[union-attr]


def test_a_long_text_is_cut_at_its_end() -> None:
    encoded = make(raw_sample(png=PICTURE, txt=b"x" * 200), max_tokens=20)
    assert text_of(encoded) == "<|endoftext|><image>" + "x" * 18


def test_half_of_the_texts_begin_with_a_space() -> None:
    raw = raw_sample(png=PICTURE, txt=b"A cat.")
    texts = [text_of(make(raw, draws_of(seed))) for seed in range(200)]
    with_space = "<|endoftext|><image> A cat.<EOC><|endoftext|>"
    assert set(texts) == {with_space, with_space.replace("> A", ">A")}
    assert abs(texts.count(with_space) - 100) < 30
    assert text_of(make(raw, draws_of(0), space_probability=1.0)) == with_space


def test_a_prompt_is_given_and_not_learned() -> None:
    raw = raw_sample(png=PICTURE, json=as_json(prompt=" What is it? ", text="a cat"))
    encoded = make(raw)
    assert text_of(encoded) == "<|endoftext|><image>What is it? a cat<EOC><|endoftext|>"
    open_prompt = ENCODER(Interleaved.of(encoded.visuals[0], "What is it?"), is_complete=False)  # type: ignore[arg-type]
    answer = ENCODER.continuation(" a cat")
    assert encoded.token_ids == [*open_prompt.token_ids, *answer, IDS.eoc, IDS.eos]
    learned = [bool(weight) for weight in encoded.loss_weights]
    assert learned == [False] * len(open_prompt) + [True] * (len(answer) + 2)
    assert encoded.visual_index == [0] + [1] * (len(encoded) - 1)


def test_a_prompt_is_learned_if_asked() -> None:
    raw = raw_sample(png=PICTURE, json=as_json(prompt="What is it?", text="a cat"))
    encoded = make(raw, learn_prompt=True)
    assert encoded.loss_weights == [0.0, 0.0] + [1.0] * (len(encoded) - 2)


def test_a_prompt_gets_the_space_and_leaves_room_for_an_answer() -> None:
    raw = raw_sample(png=PICTURE, json=as_json(prompt="x" * 30, text="y"))
    encoded = make(raw, draws_of(0), space_probability=1.0)
    assert text_of(encoded).startswith("<|endoftext|><image> xxx")
    with pytest.raises(BrokenSample, match="the prompt alone has 32 of at most 32 tokens"):
        make(raw, max_tokens=32)


def test_what_is_seen_may_be_named() -> None:
    raw = raw_sample(json=as_json(image="0.png", text="A cat."), _0_png=PICTURE)
    assert len(make(raw).visuals) == 1


def test_a_member_of_its_own_comes_before_a_name_from_elsewhere() -> None:
    raw = raw_sample(json=as_json(image="train2014/0.jpg", text="A cat."), png=PICTURE)
    assert len(make(raw).visuals) == 1


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"png": PICTURE}, "it has no text: no member txt or json, only png"),
        ({"png": PICTURE, "txt": b""}, "txt is empty: there is no text"),
        ({"png": PICTURE, "txt": b" \n\t"}, "txt is empty: there is no text"),
        ({"png": PICTURE, "txt": b"caf\xe9"}, "txt is not UTF-8: byte 0xe9 at position 3"),
        ({"png": PICTURE, "json": as_json(title="A")}, "no field text or caption, only 'title'"),
        ({"png": PICTURE, "json": as_json(text="")}, "the field text is empty"),
        ({"png": PICTURE, "json": as_json(text=["A"])}, "the field text is a list"),
        ({"png": PICTURE, "json": as_json(text="A", prompt=3)}, "the field prompt is a int"),
        ({"json": as_json(text="A", image=3)}, "the field image is a int"),
        ({"txt": b"A cat."}, "nothing to look at: .*, only txt"),
        ({"txt": b"A cat.", "mp4": b""}, "nothing to look at: .*, only txt, mp4"),
        ({"txt": b"A cat.", "png": PICTURE, "jpg": PICTURE}, "several members .*: png, jpg"),
        ({"txt": b"A cat.", "png": PICTURE[:30]}, "^png: the PNG picture cannot be decoded"),
        ({"txt": b"A cat.", "features": b"none"}, "^features: 4 bytes of features cannot be read"),
    ],
)
def test_pairs_that_are_none(members: dict[str, bytes], reason: str) -> None:
    with pytest.raises(BrokenSample, match=reason):
        make(raw_sample(**members))


def test_a_tag_in_text_or_prompt() -> None:
    for fields in ({"text": "an <image>"}, {"text": "<EOC>", "prompt": "A"}):
        with pytest.raises(SequenceError, match="the text contains the tag"):
            make(raw_sample(png=PICTURE, json=as_json(**fields)))


def test_bad_text_is_found_before_anything_is_decoded() -> None:
    with pytest.raises(SequenceError):
        make(raw_sample(png=b"", txt=b"an <image>"))


def test_pixels_are_as_stored_without_randomness() -> None:
    [visual] = make(raw_sample(png=PICTURE, txt=b"A cat.")).visuals
    assert np.all(visual.frames == 50)  # type: ignore[union-attr]
