from __future__ import annotations

from typing import Any

import pytest

from flamingo.data import Encoded
from flamingo.data.datasets.media import VisualReader
from flamingo.data.datasets.pages import PageMaker, parse_page
from flamingo.data.datasets.raw_samples import BrokenSample, RawSample
from flamingo.data.features import VisualFeatures, features_to_bytes
from flamingo.foundation.errors import SequenceError
from flamingo.sequence import Visual

from .datasets_for_tests import (
    ENCODER,
    as_json,
    draws_of,
    mean_gray,
    no_draws,
    picture,
    raw_sample,
    text_of,
)


def make(raw: RawSample, draws: Any = no_draws, **settings: Any) -> Encoded:
    chosen = {"max_tokens": 256, "max_visuals": 5, "p_next": 0.5, **settings}
    return PageMaker(ENCODER, VisualReader(), **chosen)(raw, draws)


def numbered_page(num_images: int) -> RawSample:
    """A page whose images have ten times their number as their gray."""
    text = "".join(f"<image>text {number}." for number in range(num_images))
    names = [f"{number}.png" for number in range(num_images)]
    images = {f"_{number}_png": picture(10 * number) for number in range(num_images)}
    return raw_sample(json=as_json(text=text, images=names), **images)


def grays(encoded: Encoded) -> list[int]:
    return [round(mean_gray(v)) for v in encoded.visuals if isinstance(v, Visual)]


def test_both_ways_to_write_a_page_are_the_same_page() -> None:
    images = {"_0_png": picture(0), "_1_png": picture(99)}
    tagged = raw_sample(
        json=as_json(text="A.<image>B.<image>C.", images=["0.png", "1.png"]), **images
    )
    lists = raw_sample(
        json=as_json(
            texts=["A.", None, "B.", None, "C."], images=[None, "0.png", None, "1.png", None]
        ),
        **images,
    )
    expected = "<|endoftext|>A.<EOC><image>B.<EOC><image>C.<EOC><|endoftext|>"
    for raw in (tagged, lists):
        encoded = make(raw)
        assert text_of(encoded) == expected
        assert grays(encoded) == [0, 99]


def test_texts_side_by_side_are_paragraphs() -> None:
    fields = {"texts": ["A.", "B.", None, None, "C."], "images": [None, None, "a", None, None]}
    document, names = parse_page(fields)
    assert document.text == "A.\n\nB.C."
    assert names == ["a"]


def test_five_images_and_the_text_that_belongs_to_them() -> None:
    encoded = make(numbered_page(8))
    assert grays(encoded) == [0, 10, 20, 30, 40]
    assert text_of(encoded).endswith("<image>text 4.<EOC>")


def test_windows_keep_the_images_of_their_own_text() -> None:
    raw, seen = numbered_page(12), set()
    for seed in range(60):
        encoded = make(raw, draws_of(seed), max_tokens=40, p_next=0.0)
        text = text_of(encoded)
        for number, gray in enumerate(grays(encoded)):
            chunk = text.split("<image>")[number + 1]
            assert f"text {gray // 10}.".startswith(chunk.partition("<EOC>")[0])
            seen.add(gray // 10)
    assert seen >= set(range(1, 12))


def test_text_sees_the_next_image_as_often_as_it_should() -> None:
    raw = raw_sample(json=as_json(text="A.<image>B.", images=["0.png"]), _0_png=picture(0))
    sights = [make(raw, draws_of(seed), p_next=0.3).visual_index[1] for seed in range(400)]
    assert set(sights) == {0, 1}
    assert abs(sum(sights) / 400 - 0.3) < 0.07
    assert make(raw, p_next=1.0).visual_index[1] == 0  # without randomness


def test_only_images_of_the_window_are_read() -> None:
    raw = numbered_page(8)
    read: list[str] = []

    def watched(name: str) -> bytes:
        read.append(name)
        return raw.read(name)

    make(RawSample(raw.where, raw.names, watched))
    assert read == ["json", "0.png", "1.png", "2.png", "3.png", "4.png"]


def test_a_page_without_images() -> None:
    encoded = make(raw_sample(json=as_json(text="A cat.")))
    assert encoded.visuals == ()
    assert not any(encoded.visual_index)


def test_features_stand_for_images() -> None:
    import torch

    content = features_to_bytes(VisualFeatures(torch.ones(1, 2, 3)))
    for name in ("0.features", "0.png"):
        page = as_json(text="<image>A.", images=[name])
        encoded = make(raw_sample(json=page, _0_features=content), draws_of(0))
        [features] = encoded.visuals
        assert isinstance(features, VisualFeatures)
        assert torch.equal(features.values, torch.ones(1, 2, 3))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"images": []}, "no field text or texts, only 'images'"),
        ({"text": 3}, "text is a int, not a string"),
        ({"text": " \n", "images": []}, "the page has no text"),
        ({"text": "<image>", "images": ["a"]}, "the page has no text"),
        ({"text": "a\ud800b"}, "text has half of a surrogate pair at 1"),
        ({"text": "<image>a", "images": "a"}, "images is a str, not a list"),
        ({"text": "<image>a", "images": [3]}, r"images\[0\] is a int"),
        ({"text": "<image>a", "images": [""]}, r"images\[0\] is an empty name"),
        ({"texts": ["a"], "images": []}, "texts has 1 entries and images 0"),
        ({"texts": ["a"], "images": ["b"]}, "entry 0 has both"),
        ({"texts": [1], "images": [None]}, r"texts\[0\] is a int"),
        ({"texts": [None], "images": ["a"]}, "the page has no text"),
    ],
)
def test_pages_that_are_none(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(BrokenSample, match=reason):
        parse_page(fields)


@pytest.mark.parametrize("images", [["a"], ["a", "b", "c"]])
def test_a_wrong_number_of_tags(images: list[str]) -> None:
    with pytest.raises(SequenceError, match=rf"2 <image> tags but {len(images)} visual"):
        parse_page({"text": "<image>a<image>b", "images": images})


@pytest.mark.parametrize("text", ["a<EOC>b", "a<|endoftext|>b"])
def test_other_tags_in_the_text(text: str) -> None:
    with pytest.raises(SequenceError, match="the text contains the tag"):
        make(raw_sample(json=as_json(text=text)))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "json is empty"),
        (b"{", "json is no JSON"),
        (b"[" * 100_000, "json is no JSON"),
        (b"[]", "json holds a list"),
        (b'{"text": "\xff"}', "json is not UTF-8: byte 0xff at position 10"),
    ],
)
def test_json_that_is_none(content: bytes, reason: str) -> None:
    with pytest.raises(BrokenSample, match=reason):
        make(raw_sample(json=content))
    with pytest.raises(BrokenSample, match="no member json"):
        make(raw_sample(txt=b"A cat."))


def test_a_missing_and_a_broken_image_are_named() -> None:
    page = as_json(text="<image>A.", images=["0.png"])
    with pytest.raises(BrokenSample, match=r"no member 0\.png"):
        make(raw_sample(json=page))
    with pytest.raises(BrokenSample, match=r"^0\.png: the PNG picture cannot be decoded"):
        make(raw_sample(json=page, _0_png=picture(0)[:40]))
    with pytest.raises(BrokenSample, match=r"^0\.png: the file is empty"):
        make(raw_sample(json=page, _0_png=b""))
