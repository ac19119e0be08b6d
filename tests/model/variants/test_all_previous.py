"""A token that sees all visuals up to its own: none behind it, and the same as one where one is."""

from __future__ import annotations

import pytest
import torch

from flamingo.model.variants.all_previous import all_previous
from tests.model.variants.variants_for_tests import FAMILIES
from tests.tiny import inputs, tiny_flamingo

SECOND_TAG = 7


def test_the_mask_opens_visual_by_visual() -> None:
    mask = all_previous(torch.tensor([[1, 2, 0]]), num_visuals=3, num_latents=2)
    assert mask[0, 0].int().tolist() == [[1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0], [1] * 6]


@pytest.mark.parametrize("family", FAMILIES)
def test_with_one_visual_all_previous_is_the_last(family: str) -> None:
    last, every = (tiny_flamingo(family, sees=sees) for sees in ("last", "all_previous"))
    given = inputs(num_visuals=1)
    with torch.no_grad():
        difference = last(**given).logits - every(**given).logits
    assert difference.abs().max() < 2e-5


def test_later_text_looks_at_the_first_visual_as_well() -> None:
    """In one gated layer, so that nothing is carried over by self-attention."""
    given = inputs()
    other = {**given, "pixel_values": given["pixel_values"].clone()}
    other["pixel_values"][:, 0] += 1.0
    changes = {}
    for sees in ("last", "all_previous"):
        model = tiny_flamingo(sees=sees)
        block, found = model.gated_xattn_dense[0], []
        block.register_forward_hook(lambda module, args, output, found=found: found.append(output))
        with torch.no_grad():
            model(**given)
            model(**other)
        changes[sees] = (found[0] - found[1]).abs().amax(-1)
    assert changes["last"][:, SECOND_TAG:].max() == 0
    assert changes["all_previous"][:, SECOND_TAG:].min() > 1e-4
    assert changes["all_previous"][:, :3].max() == 0


def test_a_padded_visual_is_never_seen() -> None:
    model, given = tiny_flamingo(sees="all_previous"), inputs(batch=1)
    more = torch.cat([given["pixel_values"], given["pixel_values"][:, :1] + 3.0], dim=1)
    with torch.no_grad():
        difference = model(**given).logits - model(**{**given, "pixel_values": more}).logits
    assert difference.abs().max() < 2e-5
