from __future__ import annotations

import numpy as np
import pytest

from flamingo.foundation.errors import ConfigError
from flamingo.prompting import (
    CAPTION,
    QUESTION_ANSWER,
    Example,
    Template,
    few_shot_prompt,
    query_prompt,
    support_prompt,
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


OTHERS = {
    "before": Template.parse("Image:<image>Output: {output}"),
    "instruction": Template.parse("Image:<image>Output:{output}", instruction="Be brief.\n"),
    "turns": Template.parse("User:<image>Look.<EOC>Assistant: {output}"),
    "bare": Template.parse("Output:{output}", ends_bare=True),
    "ours": CAPTION,
}
DIALOGUE = Markup("<s>", "</s>", eoc="<end>", after_eoc="\n", closes_before_visuals=False)


def shown(number: int, template: Template) -> str:
    supports = [Example((A,), {"output": "a"}), Example((B, A), {"output": "b"})][:number]
    prompt = few_shot_prompt(supports, Example((C,)), template)
    return mark_up(prompt, DIALOGUE, is_complete=False).text


def test_text_before_visuals() -> None:
    assert shown(1, OTHERS["before"]) == ("<s>Image:<image>Output: a<end>\nImage:<image>Output:")


def test_an_instruction_stands_once_at_the_beginning() -> None:
    assert shown(0, OTHERS["instruction"]) == "<s>Be brief.\nImage:<image>Output:"
    assert shown(2, OTHERS["instruction"]) == (
        "<s>Be brief.\nImage:<image>Output:a<end>\nImage:<image><image>Output:b<end>\n"
        "Image:<image>Output:"
    )


def test_turns_of_two_speakers() -> None:
    assert shown(1, OTHERS["turns"]) == (
        "<s>User:<image>Look.<end>\nAssistant: a<end>\nUser:<image>Look.<end>\nAssistant:"
    )


def test_examples_that_end_bare() -> None:
    assert shown(1, OTHERS["bare"]) == "<s><image>Output:a<end><image>Output:"


@pytest.mark.parametrize("template", OTHERS.values(), ids=OTHERS.keys())
@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_two_parts_are_the_prompt(template: Template, number: int) -> None:
    supports = [Example((A,), {"output": "a"}), Example((), {"output": "b"})][:number]
    query = Example((B,))
    parts = support_prompt(supports, template) + query_prompt(query, template)
    assert parts == few_shot_prompt(supports, query, template)
    zero = zero_shot_prompt(supports, query, template)
    assert zero.visuals == (B,)
