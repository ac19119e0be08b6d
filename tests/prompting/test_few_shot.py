from __future__ import annotations

import numpy as np
import pytest

from flamingo.foundation.errors import ConfigError
from flamingo.prompting import (
    CAPTION,
    QUESTION_ANSWER,
    Example,
    few_shot_prompt,
    zero_shot_prompt,
)
from flamingo.sequence import Interleaved, Markup, Visual, mark_up

A, B, C = (Visual.from_image(np.full((1, 1, 3), value, np.uint8)) for value in (1, 2, 3))
MARKUP = Markup(bos="<BOS>", eos="<EOS>")


def written(prompt: Interleaved) -> str:
    return mark_up(prompt, MARKUP, is_complete=False).text


def test_supports_in_their_order_then_the_query() -> None:
    supports = [Example((A,), {"output": "A cat."}), Example((B,), {"output": "A dog."})]
    prompt = few_shot_prompt(supports, Example((C,)), CAPTION)
    assert prompt.visuals == (A, B, C)
    assert written(prompt) == (
        "<BOS><image>Output: A cat.<EOC><image>Output: A dog.<EOC><image>Output:"
    )


def test_no_supports() -> None:
    assert written(few_shot_prompt([], Example((C,)), CAPTION)) == "<BOS><image>Output:"


def test_examples_without_visuals_or_with_several() -> None:
    supports = [Example((), {"output": "x"}), Example((A, B), {"output": "y"})]
    prompt = few_shot_prompt(supports, Example(()), CAPTION)
    assert written(prompt) == "<BOS>Output: x<EOC><image><image>Output: y<EOC>Output:"


def test_zero_shot_shows_the_text_of_two_examples_only() -> None:
    examples = [Example((A,), {"output": "A cat."}), Example((B,), {"output": "A dog."})]
    prompt = zero_shot_prompt(examples, Example((C,)), CAPTION)
    assert prompt.visuals == (C,)
    assert written(prompt) == "<BOS>Output: A cat.<EOC>Output: A dog.<EOC><image>Output:"


def test_a_support_without_its_answer_is_refused() -> None:
    with pytest.raises(ConfigError, match="needs the field 'answer'"):
        few_shot_prompt([Example((A,), {"question": "?"})], Example((B,)), QUESTION_ANSWER)
