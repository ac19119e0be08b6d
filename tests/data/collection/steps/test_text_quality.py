"""Each rule of Gopher's for quality, at its threshold from both sides."""

from __future__ import annotations

import pytest

from flamingo.data.collection.pages import TextNode
from flamingo.data.collection.steps.text_quality import TextQuality
from flamingo.foundation.errors import ConfigError
from tests.data.collection.steps.pages_for_steps import WORDS, is_kept, page, reason_of, text

STEP = TextQuality()


def lines(num: int, of: str) -> list[TextNode]:
    return [TextNode(of) for _ in range(num)]


def test_plain_english_passes() -> None:
    assert is_kept(STEP, text(*WORDS))


def test_number_of_words() -> None:
    assert is_kept(STEP, text(*WORDS[:50]))
    assert not is_kept(STEP, text(*WORDS[:49]))
    assert reason_of(STEP(page(text(*WORDS[:49])))) == "49 words, at least 50"
    assert is_kept(TextQuality(max_words=51), text(*WORDS))
    assert not is_kept(TextQuality(max_words=50), text(*WORDS))


@pytest.mark.parametrize(
    ("word", "is_in"), [("aaa", True), ("aa", False), ("a" * 10, True), ("a" * 11, False)]
)
def test_length_of_words(word: str, is_in: bool) -> None:
    step = TextQuality(min_stop_words=0)
    assert is_kept(step, text(*[word] * 60)) is is_in


@pytest.mark.parametrize("sign", ["#", "...", "…"])
def test_symbols(sign: str) -> None:
    step = TextQuality(min_words_with_letters=0.0)
    assert is_kept(step, text(*WORDS[:44], *[sign] * 5, "x"))
    assert not is_kept(step, text(*WORDS[:43], *[sign] * 6, "x"))


@pytest.mark.parametrize("bullet", ["• ", "- ", "* "])
def test_bullet_lines(bullet: str) -> None:
    line = " ".join(WORDS[:6])
    assert is_kept(STEP, *lines(9, bullet + line), *lines(1, line))
    assert not is_kept(STEP, *lines(10, bullet + line))


def test_items_of_a_list_are_bullet_lines() -> None:
    items = [text(*WORDS[:6], kind="item")] * 9
    assert is_kept(STEP, *items, text(*WORDS[:6]))
    assert not is_kept(STEP, *items, text(*WORDS[:6], kind="item"))


@pytest.mark.parametrize("end", ["...", "…"])
def test_ellipsis_lines(end: str) -> None:
    line = " ".join(WORDS[:10])
    assert is_kept(STEP, *lines(3, line + end), *lines(7, line))
    assert not is_kept(STEP, *lines(4, line + end), *lines(6, line))


def test_lines_within_a_text_count() -> None:
    line = " ".join(WORDS[:10])
    both = [f"{line}…"] * 4 + [line] * 6
    assert not is_kept(STEP, TextNode("\n".join(both)))
    assert is_kept(STEP, TextNode("\n".join([*both, line, line, line, line])))


def test_words_with_letters() -> None:
    assert is_kept(STEP, text(*WORDS[:48], *["1234"] * 12))
    assert not is_kept(STEP, text(*WORDS[:47], *["1234"] * 13))


def test_a_word_with_signs_has_letters() -> None:
    assert is_kept(STEP, text(*[f"({word})," for word in WORDS], "the", "of"))


def test_stop_words_are_counted_once_each() -> None:
    rare = [word for word in WORDS if word not in STEP.stop_words] * 2
    assert is_kept(STEP, text(*rare, "the", "of"))
    assert is_kept(STEP, text(*rare, "The", "OF"))
    assert not is_kept(STEP, text(*rare, "the", "the", "the"))
    assert is_kept(TextQuality(min_stop_words=0), text(*rare))


def test_a_page_without_text_is_out() -> None:
    assert not is_kept(STEP)
    assert is_kept(TextQuality(min_words=0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_words": -1}, "min_words=-1"),
        ({"min_words": 10, "max_words": 9}, "at least 10 and at most 9 words"),
        ({"min_word_length": 11.0}, "characters of a word"),
        ({"max_bullet_lines": 1.1}, "max_bullet_lines=1.1"),
        ({"max_symbols_per_word": -0.1}, "max_symbols_per_word"),
        ({"min_words_with_letters": float("nan")}, "nan"),
        ({"min_stop_words": 9}, "stop words"),
    ],
)
def test_impossible_settings(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TextQuality(**settings)
