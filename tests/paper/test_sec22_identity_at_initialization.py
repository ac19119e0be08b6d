"""Closed gates leave the language model exactly as it was (Sec. 2.2)."""

from __future__ import annotations

import copy

import pytest
import torch

from tests.families import FAMILIES, VOCABULARY, tiny_lm
from tests.tiny import inputs, tiny_flamingo


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("family", FAMILIES)
def test_closed_gates_give_the_logits_of_the_language_model_alone(
    family: str, dtype: torch.dtype
) -> None:
    alone = tiny_lm(family, dtype)
    model = tiny_flamingo(family, dtype, is_open=False)
    given = inputs()
    words = given["input_ids"].clamp(max=VOCABULARY - 1)
    with torch.no_grad():
        expected = alone(input_ids=words).logits
        logits = model(**{**given, "input_ids": words, "attention_mask": None}).logits
    assert torch.equal(logits[..., :VOCABULARY], expected)


@pytest.mark.parametrize("family", FAMILIES)
def test_open_gates_change_the_logits(family: str) -> None:
    closed, opened = tiny_flamingo(family, is_open=False), tiny_flamingo(family)
    with torch.no_grad():
        difference = closed(**inputs()).logits - opened(**inputs()).logits
    assert difference.abs().max() > 0.05


def test_the_language_model_still_works_alone() -> None:
    alone, model = tiny_lm("llama"), tiny_flamingo("llama")
    words = inputs()["input_ids"].clamp(max=VOCABULARY - 1)
    with torch.no_grad():
        assert torch.equal(model.language_model(words).logits, alone(words).logits)


def test_building_changes_no_pretrained_weight() -> None:
    before = copy.deepcopy(tiny_lm("llama").state_dict())
    after = tiny_flamingo("llama", is_open=False).language_model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
