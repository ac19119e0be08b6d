"""Neither padding nor the company of other rows changes what a row gives."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from flamingo.foundation.errors import SequenceError
from tests.families import FAMILIES
from tests.tiny import inputs, tiny_flamingo


def _padded(given: dict[str, Tensor], amount: int, side: str) -> dict[str, Tensor]:
    filler = {"input_ids": 2, "attention_mask": 0, "visual_index": 0}
    out = dict(given)
    for name, value in filler.items():
        pad = (amount, 0) if side == "left" else (0, amount)
        out[name] = torch.nn.functional.pad(given[name], pad, value=value)
    return out


# The recurrence of Qwen 3.5's linear attention sums in another order once the length changes.
TOLERANCE = {"qwen3_5": 1e-4}


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("family", FAMILIES)
def test_padding_changes_nothing(family: str, side: str) -> None:
    model, given = tiny_flamingo(family), inputs()
    with torch.no_grad():
        plain = model(**given).logits
        padded = model(**_padded(given, 3, side)).logits
    real = padded[:, 3:] if side == "left" else padded[:, :-3]
    torch.testing.assert_close(real, plain, rtol=0, atol=TOLERANCE.get(family, 2e-5))


def test_left_padded_generation_equals_unpadded() -> None:
    model, given = tiny_flamingo(), inputs()
    how: dict[str, Any] = {"max_new_tokens": 5, "min_new_tokens": 5, "do_sample": False}
    plain = model.generate(**given, **how)[:, -5:]
    assert torch.equal(plain, model.generate(**_padded(given, 4, "left"), **how)[:, -5:])


def test_company_changes_nothing() -> None:
    """A row with two images, beside one with an image and a clip of three frames."""
    model = tiny_flamingo()
    given = inputs(batch=1)
    with torch.no_grad():
        alone = model(**given).logits
    pixels = torch.randn(2, 3, 3, *given["pixel_values"].shape[-3:])
    pixels[0, :2, 0] = given["pixel_values"][0, :, 0]
    mask = torch.zeros(2, 3, 3, dtype=torch.bool)
    mask[0, :2, 0] = True
    mask[1, 0, 0] = mask[1, 1] = True
    company = {
        name: torch.cat([given[name], given[name].flip(1) if name == "input_ids" else given[name]])
        for name in ("input_ids", "attention_mask", "visual_index")
    }
    with torch.no_grad():
        together = model(**company, pixel_values=pixels, frame_mask=mask).logits
    torch.testing.assert_close(together[:1], alone, rtol=0, atol=2e-5)


def test_a_row_of_text_among_rows_with_visuals() -> None:
    model, given = tiny_flamingo(), inputs()
    given["visual_index"][1] = 0
    given["frame_mask"] = torch.ones(2, 2, 1, dtype=torch.bool)
    given["frame_mask"][1] = False
    with torch.no_grad():
        together = model(**given).logits[1:]
        alone = model(input_ids=given["input_ids"][1:]).logits
    torch.testing.assert_close(together, alone, rtol=0, atol=2e-5)


def test_visuals_without_an_index_are_an_error() -> None:
    model, given = tiny_flamingo(), inputs()
    del given["visual_index"]
    with pytest.raises(SequenceError, match="2 visuals per row were given without visual_index"):
        model(**given)


def test_an_index_of_another_length_is_an_error() -> None:
    model, given = tiny_flamingo(), inputs()
    given["visual_index"] = given["visual_index"][:, :-1]
    with pytest.raises(SequenceError, match="visual_index has 11 positions, but there are 12"):
        model(**given)


def test_an_index_beyond_the_visuals_is_an_error() -> None:
    model, given = tiny_flamingo(), inputs()
    given["visual_index"][0, -1] = 3
    with pytest.raises(SequenceError, match="from 0 up to 3, but there are 2 visuals"):
        model(**given)


def test_padding_before_a_real_frame_is_an_error() -> None:
    model, given = tiny_flamingo(), inputs(num_frames=2)
    mask = torch.tensor([False, True]).expand(2, 2, 2)
    with pytest.raises(SequenceError, match="marks a padded frame before a real one"):
        model(**given, frame_mask=mask)
