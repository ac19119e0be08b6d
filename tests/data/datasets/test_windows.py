from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.data import Encoded, Encoder, prepare_tokenizer
from flamingo.data.datasets.media import STAND_IN as V
from flamingo.data.datasets.windows import Window, cut_window
from flamingo.foundation.randomness import generator
from flamingo.sequence import Interleaved, Part, Sees
from tests.data.tokenizers_for_tests import byte_level_bpe

from .datasets_for_tests import ENCODER, IDS, text_of

PLAIN = Encoder(prepare_tokenizer(byte_level_bpe(), image_as_text=True))
part_lists = st.lists(st.one_of(st.text("xyz", max_size=9), st.just(V)), max_size=20)
sights = st.sampled_from(["previous", "next"])


def page_of(parts: Sequence[Part], encoder: Encoder, sees: Sees = "previous") -> Encoded:
    return encoder(Interleaved(tuple(parts)), is_complete=True, sees=sees)


def cut(
    parts: Sequence[Part],
    encoder: Encoder = ENCODER,
    *,
    max_tokens: int = 12,
    max_visuals: int = 5,
    sees: Sees = "previous",
    seed: int | None = None,
) -> Window:
    return cut_window(
        page_of(parts, encoder),
        max_tokens=max_tokens,
        max_visuals=max_visuals,
        end_of_chunk=encoder.prepared.ids.eoc,
        sees=sees,
        rng=None if seed is None else generator(seed),
    )


def tag_numbers(page: Encoded) -> list[int]:
    """Per token behind `<BOS>`, which tag it belongs to; 0 for none."""
    pairs = zip(page.visual_index[1:], page.loss_weights[1:], strict=True)
    return [0 if weight else number for number, weight in pairs]


def places(page: Encoded, window: Window) -> list[int]:
    """All places in the page at which the window's tokens stand."""
    body, inside = page.token_ids[1:], window.encoded.token_ids[1:]
    return [
        start
        for start in range(len(body) - len(inside) + 1)
        if body[start : start + len(inside)] == inside
    ]


@given(
    part_lists,
    st.integers(10, 40),
    st.integers(1, 5),
    sights,
    st.one_of(st.none(), st.integers(0, 99)),
    st.booleans(),
)
def test_a_window_is_a_part_of_the_page_with_the_same_sights(
    parts: list[Part],
    max_tokens: int,
    max_visuals: int,
    sees: Sees,
    seed: int | None,
    as_text: bool,
) -> None:
    encoder = PLAIN if as_text else ENCODER
    window = cut(
        parts, encoder, max_tokens=max_tokens, max_visuals=max_visuals, sees=sees, seed=seed
    )
    page = page_of(parts, encoder, sees)
    encoded, numbers = window.encoded, tag_numbers(page)
    assert encoded.token_ids[0] == encoder.prepared.ids.bos
    assert len(encoded) == len(encoded.visual_index) == len(encoded.loss_weights) <= max_tokens
    assert len(window.visuals) <= max_visuals

    def fits(start: int) -> bool:
        stop = start + len(encoded) - 1
        inside = numbers[start:stop]
        outside = {*numbers[:start], *numbers[stop:]} - {0}
        expected = [
            number - window.visuals.start if number - 1 in window.visuals else 0
            for number in page.visual_index[1:][start:stop]
        ]
        return (
            {number - 1 for number in inside if number} == set(window.visuals)
            and not outside & {number for number in inside if number}
            and encoded.visual_index[1:] == expected
            and encoded.loss_weights[1:] == page.loss_weights[1:][start:stop]
        )

    assert any(fits(start) for start in places(page, window))


@given(part_lists, st.integers(10, 40), st.integers(0, 30), st.booleans())
def test_no_window_is_shorter_than_it_has_to_be(
    parts: list[Part], max_tokens: int, seed: int, as_text: bool
) -> None:
    encoder = PLAIN if as_text else ENCODER
    page = page_of(parts, encoder)
    window = cut(parts, encoder, max_tokens=max_tokens, seed=seed)
    spare = max_tokens - len(window.encoded)
    is_to_the_end = len(page) <= max_tokens or window.encoded.token_ids[-1] == page.token_ids[-1]
    tag = len(encoder.prepared.ids.image)
    assert spare < tag or is_to_the_end or len(window.visuals) == 5


def test_a_short_page_is_whole() -> None:
    parts = ["xx", V, "yy", V, "zz"]
    window = cut(parts, max_tokens=30, seed=0)
    whole = page_of(parts, ENCODER)
    assert window.visuals == range(2)
    assert window.encoded.token_ids == whole.token_ids
    assert window.encoded.visual_index == whole.visual_index


def test_text_before_a_visual_too_many_keeps_its_end_and_its_sight() -> None:
    window = cut([V, "x", V, "y", V, "z"], max_tokens=30, max_visuals=2)
    assert text_of(window.encoded) == "<|endoftext|><image>x<EOC><image>y<EOC>"
    assert window.encoded.visual_index == [0, 1, 1, 1, 2, 2, 2]


def test_seeing_the_next_visual_text_whose_visual_fell_away_sees_nothing() -> None:
    window = cut([V, "x", V, "y", V, "z"], max_tokens=30, max_visuals=2, sees="next")
    assert text_of(window.encoded) == "<|endoftext|><image>x<EOC><image>y<EOC>"
    assert window.encoded.visual_index == [1, 1, 2, 2, 2, 0, 0]


@given(st.integers(0, 200))
def test_text_whose_visual_stands_before_the_window_sees_nothing(seed: int) -> None:
    parts = [V, "w" * 20, V, "y" * 20]
    window = cut(parts, max_tokens=10, seed=seed)
    text = text_of(window.encoded)
    if window.visuals == range(0):
        assert not any(window.encoded.visual_index)
    elif window.visuals == range(1, 2):
        before, _, _ = text.partition("<image>")
        hidden = before.count("w") + before.count("<EOC>") + 1
        assert not any(window.encoded.visual_index[:hidden])
        assert set(window.encoded.visual_index[hidden:]) == {1}


def test_windows_begin_everywhere_but_behind_no_text_that_is_gone() -> None:
    parts = ["x" * 9, V, "y" * 9, V, "z" * 9]
    begins = {text_of(cut(parts, max_tokens=10, seed=seed).encoded)[13:] for seed in range(300)}
    assert not any(text.startswith("<EOC>") for text in begins)
    assert any(text.startswith("<image>") for text in begins)
    assert any(text.endswith("z<EOC><|endoftext|>") for text in begins)
    assert len(begins) > 20


def test_a_tag_of_several_tokens_is_never_cut() -> None:
    tag = len(PLAIN.prepared.ids.image)
    assert tag > 1
    for seed in range(200):
        window = cut(["xxx", V, "yyy", V, V, "zzz"], PLAIN, max_tokens=tag + 5, seed=seed)
        assert window.encoded.loss_weights[1:].count(0.0) == tag * len(window.visuals)


@pytest.mark.parametrize("seed", range(3))
def test_without_randomness_the_window_is_the_beginning(seed: int) -> None:
    window = cut(["x" * 99], max_tokens=10)
    assert text_of(window.encoded) == "<|endoftext|>" + "x" * 9
    assert window.encoded.token_ids[0] == IDS.bos
