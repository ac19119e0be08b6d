"""The programs that a reader begins with run, and what they print is what they promise."""

from __future__ import annotations

import re

import pytest

from tests.house.examples import example


def test_words_are_learned_from_the_prompt(capsys: pytest.CaptureFixture[str]) -> None:
    example("new_words").main(["--shots", "4"])
    taught, exchanged, without = re.findall(r"(\d) of 8 right", capsys.readouterr().out)
    assert int(taught) >= 7
    assert int(exchanged) >= 7
    assert int(without) <= 6


def test_a_flamingo_around_other_models_learns_to_name_pictures(
    capsys: pytest.CaptureFixture[str],
) -> None:
    example("around_your_models").main(["--updates", "25"])
    out = capsys.readouterr().out
    assert "<BOS>:0 <image>:1 red:1 <EOC>:1 <image>:2 green:2" in out
    assert "gates closed: a picture changes the language model's logits by 0\n" in out
    named = re.findall(r"a (\w+) picture → (\w*)", out)
    assert named == [(color, color) for color in ("red", "green", "blue")]
