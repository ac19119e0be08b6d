from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from flamingo.foundation.randomness import generator
from flamingo.miniature.language_probe import (
    FORMS,
    STYLES,
    WordRule,
    WordTalk,
    WordTask,
    accuracy,
)
from flamingo.miniature.names import HELD_OUT_NAMES
from flamingo.miniature.tokenizer import build_tokenizer


class Knowing(nn.Module):
    """Predicts the true next token, or always the one after it."""

    def __init__(self, vocabulary: int, off_by: int) -> None:
        super().__init__()
        self.vocabulary, self.off_by = vocabulary, off_by

    def forward(self, input_ids: Tensor, use_cache: bool = False) -> SimpleNamespace:
        following = (input_ids.roll(-1, dims=1) + self.off_by) % self.vocabulary
        logits = torch.nn.functional.one_hot(following, self.vocabulary).float()
        return SimpleNamespace(logits=logits)


@pytest.mark.parametrize(("off_by", "expected"), [(0, 1.0), (1, 0.0)])
def test_accuracy_counts_what_would_be_written(off_by: int, expected: float) -> None:
    tokenizer = build_tokenizer()
    model = Knowing(len(tokenizer), off_by)
    assert accuracy(model, tokenizer, WordTask(num_shots=4), 20) == expected


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("style", STYLES)
def test_a_prompt_shows_the_answer_among_its_shots_and_stops_before_it(
    form: str, style: str
) -> None:
    task = WordTask(num_ways=2, num_shots=4, form=form, style=style)
    prompt, answer = task.episode(generator("test", form, style))
    assert answer.strip() in HELD_OUT_NAMES
    assert prompt.count(answer.strip()) == 2
    tokenize = build_tokenizer()
    together = tokenize(prompt + answer)["input_ids"]
    assert together == tokenize(prompt)["input_ids"] + tokenize(answer)["input_ids"]


@pytest.mark.parametrize("field", ["color", "texture", "background"])
def test_a_rule_in_words_stops_before_the_attribute(field: str) -> None:
    prompt, answer = WordRule(field, num_shots=3).episode(generator("test rule", field))
    assert prompt.count("Output:") == 4
    assert prompt.endswith("Output:")
    assert answer.strip() in prompt.splitlines()[-2]


@pytest.mark.parametrize("kind", ["dialogue", "claim"])
def test_a_talk_in_words_stops_before_its_last_answer(kind: str) -> None:
    prompt, answer = WordTalk(kind, num_shots=2).episode(generator("test talk", kind))
    assert prompt.endswith("Answer:")
    assert prompt.count("Answer:") >= 3
    assert answer.startswith(" ")
    assert len(answer.split()) == 1
