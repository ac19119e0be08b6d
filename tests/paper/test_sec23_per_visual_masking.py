"""Text sees the last visual before it through cross-attention, and no other (Sec. 2.3)."""

from __future__ import annotations

import pytest
import torch

from flamingo.model.gated_xattn_dense import GatedXattnDense
from flamingo.model.visibility import Visibility
from tests.families import FAMILIES
from tests.tiny import inputs, tiny_flamingo

SECOND_TAG = 7


@pytest.mark.parametrize("family", FAMILIES)
def test_a_later_visual_never_changes_an_earlier_logit(family: str) -> None:
    model, given = tiny_flamingo(family), inputs()
    other = {**given, "pixel_values": given["pixel_values"].clone()}
    other["pixel_values"][:, 1] += 1.0
    with torch.no_grad():
        first, second = model(**given).logits, model(**other).logits
    assert torch.equal(first[:, :SECOND_TAG], second[:, :SECOND_TAG])
    assert (first[:, SECOND_TAG:] - second[:, SECOND_TAG:]).abs().amax(-1).min() > 1e-4


@pytest.mark.parametrize("family", FAMILIES)
def test_a_later_token_never_changes_an_earlier_logit(family: str) -> None:
    model, given = tiny_flamingo(family), inputs()
    other = {**given, "input_ids": given["input_ids"].clone()}
    other["input_ids"][:, -1] = 3 + (other["input_ids"][:, -1] + 1) % 40
    with torch.no_grad():
        difference = model(**given).logits - model(**other).logits
    assert difference[:, :-1].abs().max() < 1e-5
    assert difference[:, -1].abs().max() > 1e-3


def _block() -> GatedXattnDense:
    torch.manual_seed(0)
    block = GatedXattnDense(dim=16, visual_dim=12, num_heads=2, head_dim=8)
    with torch.no_grad():
        block.alpha_xattn.fill_(1.0)
    return block


def _see(block: GatedXattnDense, visuals: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    text = torch.randn(1, index.shape[1], 16, generator=torch.Generator().manual_seed(3))
    visibility = Visibility.of(index, visuals.shape[1], visuals.shape[2])
    with torch.no_grad():
        return block(text, *block.keys_values(visuals), visibility)


def test_cross_attention_reads_the_indexed_visual_only() -> None:
    block, visuals = _block(), torch.randn(1, 3, 4, 12)
    index = torch.tensor([[0, 1, 1, 2, 3, 3]])
    changed = visuals.clone()
    changed[:, 1] = torch.randn(4, 12)
    difference = (_see(block, visuals, index) - _see(block, changed, index)).abs().amax(-1)[0]
    assert (difference > 1e-4).tolist() == [False, False, False, True, False, False]


def test_text_before_any_visual_gets_exactly_nothing() -> None:
    block, visuals = _block(), torch.randn(1, 2, 4, 12)
    index = torch.tensor([[0, 0, 1]])
    text = torch.randn(1, 3, 16)
    keys, values = block.keys_values(visuals)
    with torch.no_grad():
        seen = block(text, keys, values, Visibility.of(index, 2, 4))
        blind = block(text, None, None, None)
    assert torch.equal(seen[:, :2], blind[:, :2])
    assert not torch.equal(seen[:, 2], blind[:, 2])


def test_one_token_alone_sees_what_it_sees_among_others() -> None:
    block, visuals = _block(), torch.randn(2, 3, 4, 12)
    index = torch.tensor([[0, 2], [1, 3]])
    text = torch.randn(2, 2, 16)
    keys, values = block.keys_values(visuals)
    with torch.no_grad():
        both = block(text, keys, values, Visibility.of(index, 3, 4))
        last = block(text[:, 1:], keys, values, Visibility.of(index[:, 1:], 3, 4))
        first = block(text[:, :1], keys, values, Visibility.of(index[:, :1], 3, 4))
    torch.testing.assert_close(both[:, 1:], last, rtol=0, atol=1e-6)
    torch.testing.assert_close(both[:, :1], first, rtol=0, atol=1e-6)


def test_p_next_is_only_another_index() -> None:
    """With φ shifted, text before a visual sees it: nothing in the model stands against it."""
    model, given = tiny_flamingo(), inputs()
    given["visual_index"] = torch.where(given["visual_index"] == 0, 1, given["visual_index"])
    other = {**given, "pixel_values": given["pixel_values"] + 1.0}
    with torch.no_grad():
        difference = (model(**given).logits - model(**other).logits).abs().amax(-1)
    assert difference[:, 0].min() > 1e-4
