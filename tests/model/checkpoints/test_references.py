"""What parity is tested against holds itself: against transformers, and against what must show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, IdeficsForVisionText2Text, MptConfig, MptForCausalLM

from tests.model.checkpoints import idefics_checkpoints, open_flamingo_checkpoints
from tests.model.checkpoints.open_flamingo_checkpoints import (
    END_OF_TEXT,
    IMAGE,
    NUM_TOKENS,
    PAD,
    ROWS,
    Written,
)
from tests.model.checkpoints.open_flamingo_reference import FAMILIES, OpenFlamingo, mosaic_gpt
from tests.model.checkpoints.parity_prompts import CASES, Prompts, prompts
from tests.model.checkpoints.random_weights import drawn

HOW: list[dict[str, Any]] = [{}, {"num_beams": 3, "length_penalty": 0.0}]


def batch(case: str = "ragged") -> Prompts:
    return prompts(CASES[case], {"i": IMAGE}, words=range(3, NUM_TOKENS), pad=PAD)


def written(root: Path, release: str) -> Written:
    return open_flamingo_checkpoints.write_checkpoint(
        root, **open_flamingo_checkpoints.RELEASED[release]
    )


def reference(written: Written, weights: dict[str, Tensor] | None = None) -> OpenFlamingo:
    return OpenFlamingo(
        weights or written.weights,
        written.family,
        written.language_model,
        written.vision_encoder,
        every=written.every,
        image_token_id=IMAGE,
    )


@pytest.mark.parametrize("release", ["4B", "9B", "v1", "OPT"])
@torch.no_grad()
def test_with_closed_gates_it_is_the_stock_language_model(release: str, tmp_path: Path) -> None:
    made, given = written(tmp_path, release), batch()
    closed = {n: 0 * v if n.endswith("_gate") else v for n, v in made.weights.items()}
    plain: Any = AutoModelForCausalLM.from_pretrained(made.language_model).eval()
    table = made.weights[f"lang_encoder.{FAMILIES[made.family].table}.weight"]
    plain.resize_token_embeddings(max(ROWS, len(plain.get_input_embeddings().weight)))
    plain.get_input_embeddings().weight[:ROWS] = table
    expected = plain(given.input_ids, attention_mask=given.attention_mask).logits[..., :ROWS]
    found = reference(made, closed).logits(**given.for_open_flamingo())
    assert found.shape == (*given.input_ids.shape, ROWS)
    torch.testing.assert_close(found[given.is_text], expected[given.is_text], rtol=0, atol=1e-5)


@torch.no_grad()
def test_mosaic_gpt_without_norms_of_queries_is_an_mpt() -> None:
    generator, given = torch.Generator().manual_seed(0), batch()
    model = MptForCausalLM(MptConfig(d_model=32, n_layers=2, n_heads=4, vocab_size=ROWS)).eval()
    names = {"norm_1": "ln_1", "norm_2": "ln_2", "norm_f": "ln_f"}
    names |= {"ffn.up_proj": "mlp.mlp_up", "ffn.down_proj": "mlp.mlp_down"}
    weights: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters():
        parameter.copy_(drawn(name, parameter.shape, generator))
        for theirs, mosaic in names.items():
            name = name.replace(theirs, mosaic)
        weights[name] = parameter
    found = mosaic_gpt(
        weights, given.input_ids, given.attention_mask, lambda layer, text: text, heads=4
    )
    expected = model(given.input_ids, attention_mask=given.attention_mask).logits
    torch.testing.assert_close(found[given.is_text], expected[given.is_text], rtol=0, atol=1e-5)


@pytest.mark.parametrize("release", ["3B", "4B with its head"])
def test_every_part_of_a_checkpoint_shows_in_the_logits(release: str, tmp_path: Path) -> None:
    made, given = written(tmp_path, release), batch()
    model = reference(made)
    before = model.logits(**given.for_open_flamingo())[given.is_text]
    assert 0.1 < before.std() < 3
    for name, value in made.weights.items():
        other = {**made.weights, name: value.roll(1) if value.numel() > 1 else -value}
        model.weights = other
        # The language model took its tables when it was built.
        changed = reference(made, other) if "embed" in name or "wte" in name else model
        after = changed.logits(**given.for_open_flamingo())[given.is_text]
        assert (after - before).abs().max() > 1e-3, name


def test_text_sees_its_own_image_and_no_other(tmp_path: Path) -> None:
    model, given = reference(written(tmp_path, "3B")), batch("several images")
    assert given.pixels is not None
    inputs = given.for_open_flamingo()
    before = model.logits(**inputs)
    inputs["vision_x"] = inputs["vision_x"].clone()
    inputs["vision_x"][:, 1] = 0
    changed = (model.logits(**inputs) - before).abs().amax(-1)[0] > 1e-4
    assert not changed[given.visual_index[0] < 2].any()
    assert changed[given.visual_index[0] == 2].all()


def test_text_alone_reads_as_text_before_an_image(tmp_path: Path) -> None:
    model, given = reference(written(tmp_path, "3B")), batch("text before the first image")
    num_before = int((given.visual_index[0] == 0).sum())
    text = model.logits(given.input_ids[:, :num_before], given.attention_mask[:, :num_before])
    both = model.logits(**given.for_open_flamingo())[:, :num_before]
    torch.testing.assert_close(text, both, rtol=0, atol=1e-5)


@pytest.mark.parametrize("how", HOW, ids=["greedy", "beams"])
def test_generation_goes_on_as_the_logits_say(how: dict[str, Any], tmp_path: Path) -> None:
    model, given = reference(written(tmp_path, "3B")), batch()
    inputs = given.for_open_flamingo()
    fixed = {"max_new_tokens": 3, "do_sample": False, "eos_token_id": END_OF_TEXT}
    tokens = model.generate(**inputs, **fixed, **how, pad_token_id=PAD, suppress_tokens=[IMAGE])
    assert tokens.shape[1] == given.input_ids.shape[1] + 3
    logits = model.logits(
        tokens, torch.cat([given.attention_mask, torch.ones(4, 3).long()], 1), inputs["vision_x"]
    )
    logits[..., IMAGE] = -torch.inf
    best = logits.argmax(-1)[:, -4:-1] == tokens[:, -3:]
    assert best.all() if not how else best.float().mean() > 0.3


@torch.no_grad()
@pytest.mark.parametrize("is_legacy", [False, True])
def test_idefics_is_read_as_it_was_written(is_legacy: bool, tmp_path: Path) -> None:
    model = idefics_checkpoints.write_checkpoint(tmp_path, is_legacy=is_legacy)
    special = {"f": idefics_checkpoints.FAKE, "i": idefics_checkpoints.IMAGE}
    rows = ["wfifwwfifw", "wwww"]
    given = prompts(rows, special, words=range(3, 60), pad=idefics_checkpoints.PAD).for_idefics()
    read = IdeficsForVisionText2Text.from_pretrained(tmp_path).eval()
    before = model(**given).logits
    assert torch.equal(read(**given).logits, before)
    assert 0.1 < before.std() < 3
    fixed = {"max_new_tokens": 6, "do_sample": False, "eos_token_id": 2, "pad_token_id": 0}
    for how in HOW:
        cached = model.generate(**given, **fixed, **how)
        assert torch.equal(cached, model.generate(**given, **fixed, **how, use_cache=False))


@torch.no_grad()
def test_every_part_of_an_idefics_shows_in_the_logits(tmp_path: Path) -> None:
    model = idefics_checkpoints.write_checkpoint(tmp_path)
    special = {"f": idefics_checkpoints.FAKE, "i": idefics_checkpoints.IMAGE}
    given = prompts(["wfifwwfifw"], special, words=range(3, 60), pad=0).for_idefics()
    before = model(**given).logits
    for name, parameter in model.named_parameters():
        kept = parameter.clone()
        parameter.copy_(kept.roll(1) if kept.numel() > 1 else -kept)
        after = model(**given).logits
        parameter.copy_(kept)
        # One norm is in the files and never applied; and what adds the same to every key says
        # nothing to a softmax.
        is_unused = "post_layernorm" in name or name.endswith(("k_proj.bias", "k_layer_norm.bias"))
        assert ((after - before).abs().max() > 1e-3) != is_unused, name
