from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from flamingo.model.gated_xattn_dense import GatedXattnDense
from flamingo.model.visibility import Segments, Visibility

ROWS, TOKENS, VISUALS, LATENTS = 3, 9, 4, 5


def dense(block: GatedXattnDense, text: Tensor, visuals: Tensor, index: Tensor) -> Tensor:
    """The layer as the paper's authors computed it: all visuals, and a mask."""
    attention = block.attention
    keys, values = block.keys_values(visuals)
    scores = attention.queries(block.text_norm(text)) @ keys.transpose(-1, -2)
    owner = torch.arange(1, visuals.shape[1] + 1).repeat_interleave(visuals.shape[2])
    allowed = index[:, None, :, None] == owner
    scores = (scores / attention.head_dim**0.5).masked_fill(~allowed, float("-inf"))
    weights = scores.softmax(-1).nan_to_num(0.0)
    seen = attention.to_output((weights @ values).transpose(1, 2).flatten(2))
    text = text + block.alpha_xattn.tanh() * seen
    return text + block.alpha_dense.tanh() * block.feed_forward(text)


def block_with_open_gates() -> GatedXattnDense:
    torch.manual_seed(0)
    block = GatedXattnDense(dim=16, visual_dim=12, num_heads=2, head_dim=8)
    with torch.no_grad():
        block.alpha_xattn.fill_(0.7)
        block.alpha_dense.fill_(0.4)
    return block


indices = st.lists(
    st.lists(st.integers(0, VISUALS), min_size=TOKENS, max_size=TOKENS),
    min_size=ROWS,
    max_size=ROWS,
)


@settings(max_examples=40, deadline=None)
@given(indices)
def test_segments_are_the_dense_masked_attention_and_its_gradients(rows: list[list[int]]) -> None:
    """Also where φ goes back and forth, where all see one visual, and where nobody sees any."""
    index = torch.tensor(rows)
    torch.manual_seed(1)
    text, visuals = torch.randn(ROWS, TOKENS, 16), torch.randn(ROWS, VISUALS, LATENTS, 12)
    results = []
    for path in ("dense", "segments", "kept"):
        block = block_with_open_gates()
        inputs = [text.clone().requires_grad_(), visuals.clone().requires_grad_()]
        visibility = Visibility.of(index, VISUALS, LATENTS)
        if path == "dense":
            out = dense(block, *inputs, index)
        elif path == "segments":
            out = block(inputs[0], None, None, visibility, inputs[1])
        else:
            out = block(inputs[0], *block.keys_values(inputs[1]), visibility)
        out.square().sum().backward()
        weights = [p.grad for p in block.parameters()]
        gradients = [torch.zeros(()) if g is None else g for g in [*weights, inputs[0].grad]]
        results.append([out.detach(), *gradients, inputs[1].grad])
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("lengths", [[1], [64], [65], [200, 3], [7, 130, 64, 1]])
def test_pieces_hold_every_token_once_with_the_visual_that_it_sees(lengths: list[int]) -> None:
    index = torch.cat([torch.full((n,), k + 1) for k, n in enumerate(lengths)])[None]
    segments = Segments.of(index, len(lengths))
    held = segments.tokens[segments.is_token]
    assert sorted(held.tolist()) == list(range(sum(lengths)))
    owners = segments.seen[segments.visuals][:, None].expand_as(segments.tokens)
    assert torch.equal(index[0, held], owners[segments.is_token] + 1)
    assert segments.tokens.shape[1] <= 64
    # No more than one piece of each visual is not full.
    assert (~segments.is_token).sum() <= len(lengths) * segments.tokens.shape[1]


def test_work_does_not_grow_with_visuals_that_nobody_sees() -> None:
    index = torch.tensor([[1, 1, 2, 2, 0, 0]])
    for num_visuals in (2, 50):
        segments = Segments.of(index, num_visuals)
        assert segments.seen.tolist() == [0, 1]
        assert segments.tokens.numel() == 4
