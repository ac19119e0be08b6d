from __future__ import annotations

import pytest

from flamingo.data.datasets.raw_samples import BrokenSample
from flamingo.data.datasets.texts import TextMaker
from flamingo.foundation.errors import SequenceError

from .datasets_for_tests import ENCODER, as_json, draws_of, no_draws, raw_sample, text_of


def test_a_short_document_is_whole_and_is_the_language_models_own() -> None:
    for raw in (raw_sample(txt=b"A cat.\n"), raw_sample(json=as_json(text="A cat."))):
        encoded = TextMaker(ENCODER, 64)(raw, draws_of(0))
        assert text_of(encoded) == "<|endoftext|>A cat.<|endoftext|>"
        assert encoded.loss_weights == [0.0] + [1.0] * (len(encoded) - 1)
        assert not any(encoded.visual_index)
        assert encoded.visuals == ()


def test_windows_of_a_long_one_begin_everywhere() -> None:
    letters = "".join(chr(ord("A") + number) for number in range(26))
    make, raw = TextMaker(ENCODER, 11), raw_sample(txt=letters.encode())
    found = {
        text_of(make(raw, draws_of(seed))).removeprefix("<|endoftext|>") for seed in range(300)
    }
    whole = letters + "<|endoftext|>"
    assert found == {
        *(letters[start : start + 10] for start in range(17)),
        whole[17:],
    }
    first = text_of(make(raw, no_draws)).removeprefix("<|endoftext|>")
    assert first == letters[:10]


def test_documents_that_are_none() -> None:
    make = TextMaker(ENCODER, 64)
    with pytest.raises(BrokenSample, match="there is no text"):
        make(raw_sample(txt=b" "), no_draws)
    with pytest.raises(SequenceError, match="contains the tag <image>"):
        make(raw_sample(txt=b"an <image>"), no_draws)
