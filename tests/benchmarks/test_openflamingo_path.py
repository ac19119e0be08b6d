"""The plain path computes what ours computes, with all the work that ours saves."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import pad

from benchmarks.openflamingo_path import OpenFlamingoPath, look_densely
from benchmarks.peer_cases.beams import counted
from benchmarks.peer_cases.prefill import by_segments
from tests.tiny import inputs, tiny_flamingo


def padded(given: dict[str, Tensor]) -> dict[str, Tensor]:
    """The first row begins with two tokens of padding, the second ends in two more words."""
    ids, index = given["input_ids"], given["visual_index"]
    mask = torch.ones(2, ids.shape[1] + 2, dtype=torch.long)
    mask[0, :2] = 0
    more = torch.cat([index[1:], index[1:, -1:].expand(-1, 2)], dim=1)
    return {
        **given,
        "input_ids": torch.cat([pad(ids[:1], (2, 0), value=2), pad(ids[1:], (0, 2), value=7)]),
        "attention_mask": mask,
        "visual_index": torch.cat([pad(index[:1], (2, 0)), more]),
    }


@pytest.mark.parametrize("every", [1, 2])
def test_logits_are_equal_at_every_position(every: int) -> None:
    model = tiny_flamingo(xattn_every=every)
    path, given = OpenFlamingoPath(model).eval(), padded(inputs())
    path.see(given["pixel_values"])
    with torch.no_grad():
        plain = path(given["input_ids"], given["attention_mask"]).logits
        ours = model(**given).logits
    real = given["attention_mask"] == 1
    torch.testing.assert_close(plain[real], ours[real], rtol=0, atol=1e-5)
    assert plain.std() > 0.01


@pytest.mark.parametrize("how", [{}, {"num_beams": 3}])
def test_tokens_are_equal(how: dict[str, Any]) -> None:
    model, given = tiny_flamingo(), padded(inputs(num_visuals=3))
    path = OpenFlamingoPath(model).eval()
    fixed = {"max_new_tokens": 6, "min_new_tokens": 6, "do_sample": False, **how}
    assert torch.equal(path.generate(**given, **fixed), model.generate(**given, **fixed))


def test_nothing_is_saved() -> None:
    model, given = tiny_flamingo(), inputs()
    path = OpenFlamingoPath(model).eval()
    calls: list[int] = []
    heads: list[int] = []
    for block in model.gated_xattn_dense:
        block.attention.to_keys.register_forward_hook(lambda m, a, out: calls.append(out.shape[1]))
    model.host.head.register_forward_hook(lambda m, a, out: heads.append(out.shape[1]))
    with counted(model.vision_encoder) as seen:
        path.generate(**given, max_new_tokens=4, min_new_tokens=4, do_sample=False, num_beams=3)
    assert sum(seen) == 3 * 2 * 2
    assert calls == [2 * 4] * 4 * len(model.gated_xattn_dense)
    assert heads[0] == given["input_ids"].shape[1]


def test_cross_attention_alone_is_equal() -> None:
    block: Any = tiny_flamingo().gated_xattn_dense[0]
    generator = torch.Generator().manual_seed(3)
    text = torch.randn(2, 9, 32, generator=generator)
    visual_tokens = torch.randn(2, 3, 4, block.visual_norm.weight.shape[0], generator=generator)
    index = torch.tensor([[0, 0, 1, 1, 1, 2, 2, 3, 3], [1, 1, 1, 1, 2, 2, 2, 2, 2]])
    with torch.no_grad():
        dense = look_densely(block, text, visual_tokens, index)
        ours = by_segments(block, text, visual_tokens, index)
    torch.testing.assert_close(dense, ours, rtol=0, atol=1e-5)
    assert (dense[0, :2] == 0).all()
