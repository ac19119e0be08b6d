"""Each variant generates with caches what it generates without them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import DynamicCache

from flamingo.foundation.errors import ConfigError, SequenceError
from tests.model.variants.variants_for_tests import FAMILIES, VARIANTS
from tests.tiny import inputs, tiny_flamingo


def _generate(model: Any, given: dict[str, Any], **how: Any) -> torch.Tensor:
    tokens: torch.Tensor = model.generate(
        **given, max_new_tokens=5, min_new_tokens=5, do_sample=False, **how
    )
    return tokens


def _padded(given: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The second row is three tokens shorter, padded on the left."""
    given["attention_mask"][1, :3] = 0
    return given


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("family", FAMILIES)
def test_cached_equals_uncached(family: str, variant: str) -> None:
    model, given = tiny_flamingo(family, **VARIANTS[variant]), _padded(inputs())
    for how in ({}, {"num_beams": 3}):
        cached = _generate(model, given, **how)
        assert torch.equal(cached, _generate(model, given, use_cache=False, **how))


@pytest.mark.parametrize("how", [{"prefill_chunk_size": 5}, {"prompt_lookup_num_tokens": 3}])
@pytest.mark.parametrize("variant", ["vanilla", "grafting", "all_previous"])
def test_further_ways_equal_the_plain_one(variant: str, how: dict[str, Any]) -> None:
    model, given = tiny_flamingo(**VARIANTS[variant]), inputs(batch=1)
    assert torch.equal(_generate(model, given), _generate(model, given, **how))


@pytest.mark.parametrize("variant", VARIANTS)
def test_cached_logits_are_the_uncached_ones(variant: str) -> None:
    model, given = tiny_flamingo(**VARIANTS[variant]), inputs()
    with torch.no_grad():
        whole = model(**given).logits
        cache, parts = DynamicCache(), []
        for start, end in ((0, 9), (9, 10), (10, 12)):
            now = {name: given[name][:, start:end] for name in ("input_ids", "visual_index")}
            now["attention_mask"] = given["attention_mask"][:, :end]
            if start == 0:
                now["pixel_values"] = given["pixel_values"]
            parts.append(model(**now, past_key_values=cache, use_cache=True).logits)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, rtol=0, atol=2e-5)


@pytest.mark.parametrize("variant", ["middle", "vanilla", "all_previous"])
def test_static_cache_equals_uncached(variant: str) -> None:
    model, given = tiny_flamingo(**VARIANTS[variant]), inputs()
    static = _generate(model, given, cache_implementation="static")
    assert torch.equal(static, _generate(model, given, use_cache=False))


def test_grafted_layers_refuse_a_static_cache() -> None:
    model, given = tiny_flamingo(**VARIANTS["grafting"]), inputs()
    with pytest.raises(ConfigError, match="cannot be kept in a static cache"):
        _generate(model, given, cache_implementation="static")


def test_grafted_layers_refuse_a_cache_that_they_did_not_read() -> None:
    model, given = tiny_flamingo(**VARIANTS["grafting"]), inputs()
    with torch.no_grad():
        cache = model(**given, use_cache=True).past_key_values
        with pytest.raises(SequenceError, match=r"holds 13 tokens, .* have read 1 of them"):
            model(input_ids=given["input_ids"][:, -1:], past_key_values=cache, use_cache=True)


@pytest.mark.parametrize("variant", ["grafting", "vanilla"])
def test_logits_to_keep_are_the_last_ones(variant: str) -> None:
    model, given = tiny_flamingo(**VARIANTS[variant]), inputs()
    with torch.no_grad():
        every = model(**given).logits
        last = model(**given, logits_to_keep=2).logits
        picked = model(**given, logits_to_keep=torch.tensor([1, 4])).logits
    torch.testing.assert_close(last, every[:, -2:], rtol=0, atol=1e-6)
    torch.testing.assert_close(picked, every[:, [1, 4]], rtol=0, atol=1e-6)


@pytest.mark.parametrize("variant", VARIANTS)
def test_padding_changes_nothing(variant: str) -> None:
    model, given = tiny_flamingo(**VARIANTS[variant]), inputs()
    padded = dict(given)
    for name, value in {"input_ids": 2, "attention_mask": 0, "visual_index": 0}.items():
        padded[name] = torch.nn.functional.pad(given[name], (3, 0), value=value)
    with torch.no_grad():
        difference = model(**padded).logits[:, 3:] - model(**given).logits
    assert difference.abs().max() < 2e-5
