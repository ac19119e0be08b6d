"""The frozen language model in few bits, or spread over memory and disk; nothing else is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from flamingo import FlamingoForConditionalGeneration
from flamingo.inference.quantized_loading import quantization_config
from flamingo.model.checkpoints.placing import is_placed
from tests.model.checkpoints import idefics_checkpoints

IDS = torch.tensor([[1, 5, 6, 7, 8, 9]])
ON_DISK = {
    "model.embed_tokens": "cpu",
    "model.layers": "disk",
    "model.norm": "cpu",
    "model.rotary_emb": "cpu",
    "lm_head": "cpu",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An IDEFICS, and what we save of it: the second is placed by other code than the first."""
    root = tmp_path_factory.mktemp("placed")
    idefics_checkpoints.write_checkpoint(root / "theirs", hidden_size=64, intermediate_size=64)
    model = FlamingoForConditionalGeneration.from_pretrained(root / "theirs")
    model.save_pretrained(root / "ours", full=True)
    return root


def read(model: FlamingoForConditionalGeneration) -> torch.Tensor:
    pixels = torch.randn(1, 1, 1, 3, 28, 28, generator=torch.Generator().manual_seed(0))
    index = torch.tensor([[0, 0, 1, 1, 1, 1]])
    with torch.no_grad():
        return model(input_ids=IDS, pixel_values=pixels, visual_index=index).logits


@pytest.mark.parametrize("whose", ["theirs", "ours"])
def test_layers_on_disk_compute_the_same(folder: Path, whose: str, tmp_path: Path) -> None:
    plain = FlamingoForConditionalGeneration.from_pretrained(folder / whose)
    placed = FlamingoForConditionalGeneration.from_pretrained(
        folder / whose, device_map=ON_DISK, offload_folder=tmp_path
    )
    assert any(p.is_meta for p in placed.language_model.parameters())
    assert not any(p.is_meta for p in placed.gated_xattn_dense.parameters())
    assert is_placed(placed)
    assert not is_placed(plain)
    assert torch.equal(read(plain), read(placed))
    asked: dict[str, Any] = {"input_ids": IDS, "max_new_tokens": 4, "do_sample": False}
    assert torch.equal(plain.generate(**asked), placed.generate(**asked))


@pytest.mark.parametrize(("bits", "kind"), [(8, "Linear8bitLt"), (4, "Linear4bit")])
@pytest.mark.parametrize("whose", ["theirs", "ours"])
@pytest.mark.filterwarnings("ignore")  # of bitsandbytes, on number formats
def test_only_the_language_model_is_quantized(
    folder: Path, bits: int, kind: str, whose: str
) -> None:
    plain = FlamingoForConditionalGeneration.from_pretrained(folder / whose)
    small = FlamingoForConditionalGeneration.from_pretrained(
        folder / whose, quantization_config=quantization_config(bits), device_map={"": "cpu"}
    )
    quantized = [n for n, m in small.named_modules() if type(m).__name__ == kind]
    linears = [
        name
        for name, module in plain.named_modules()
        if isinstance(module, torch.nn.Linear) and name.startswith("language_model.model.layers.")
    ]
    assert quantized == linears
    # Both read the image: what is seen moves the logits of both alike.
    one, two = read(plain).flatten(), read(small).float().flatten()
    assert torch.corrcoef(torch.stack([one, two]))[0, 1] > (0.99 if bits == 8 else 0.5)
    kept = small.resampler.layers[0].attention.to_keys.weight
    assert torch.equal(kept, plain.resampler.layers[0].attention.to_keys.weight)
