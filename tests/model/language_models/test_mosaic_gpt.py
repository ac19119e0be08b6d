"""MosaicGPT is what MosaicML's formulas say, reads released folders, and is an ordinary model."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM, DynamicCache, StaticCache

import flamingo  # noqa: F401  (knows the model to AutoModelForCausalLM)
from flamingo.foundation.errors import ConfigError, SequenceError
from flamingo.model.growing_cache import GrowingCache
from flamingo.model.language_model import Host
from flamingo.model.language_models.mosaic_gpt import MosaicGPTForCausalLM
from flamingo.model.language_models.mosaic_gpt_config import MosaicGPTConfig

from .mosaic_reference import RELEASED, logits_of, released_weights

CLOSE = {"atol": 1e-5, "rtol": 1e-5}
LENGTH = 12


def released_folder(folder: Path, **changes: Any) -> dict[str, Tensor]:
    """Writes a folder in the released layout; gives its weights."""
    weights = released_weights(**changes)
    (folder / "config.json").write_text(json.dumps({**RELEASED, **changes}))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return weights


def loaded(folder: Path, **kwargs: Any) -> MosaicGPTForCausalLM:
    model = AutoModelForCausalLM.from_pretrained(folder, **kwargs)
    assert type(model) is MosaicGPTForCausalLM
    return model.eval()


@pytest.fixture
def model(tmp_path: Path) -> MosaicGPTForCausalLM:
    released_folder(tmp_path)
    return loaded(tmp_path)


def ids_of(rows: int = 2, length: int = LENGTH, seed: int = 0) -> Tensor:
    return torch.randint(3, 50, (rows, length), generator=torch.Generator().manual_seed(seed))


def padded(ids: Tensor, pads: list[int], side: str) -> tuple[Tensor, Tensor]:
    """Each row with its own number of pads; a mask that marks the rest."""
    width = ids.shape[1] + max(pads)
    out, mask = torch.full((len(ids), width), 2), torch.zeros(len(ids), width, dtype=torch.long)
    for row, pad in enumerate(pads):
        first = pad if side == "left" else 0
        keep = width - pad
        text = torch.cat([ids[row], ids[row]])[:keep]
        out[row, first : first + keep], mask[row, first : first + keep] = text, 1
    return out, mask


CHANGES: dict[str, dict[str, Any]] = {
    "as released": {},
    "without qk norm": {"attn_qk_ln": False},
    "eight heads": {"n_heads": 8, "alibi_bias_max": 4, "mlp_ratio": 2},
    "clipped and scaled": {"attn_clip_qkv": 0.5, "softmax_scale": 0.2, "logit_scale": 0.5},
    "logits by width": {"logit_scale": "inv_sqrt_d_model"},
}


@torch.no_grad()
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES.keys())
def test_logits_are_what_the_formulas_say(
    tmp_path: Path, changes: dict[str, Any], attention: str
) -> None:
    weights = released_folder(tmp_path, **changes)
    model = loaded(tmp_path, attn_implementation=attention)
    assert model.config._attn_implementation == attention
    ids = ids_of()
    mask = torch.ones_like(ids)
    expected = logits_of(weights, ids, mask, **changes)
    assert expected.std() > 0.1
    torch.testing.assert_close(model(ids).logits, expected, **CLOSE)
    for side in ("left", "right"):
        given, mask = padded(ids, [4, 0], side)
        expected = logits_of(weights, given, mask, **changes)
        found = model(given, attention_mask=mask).logits
        torch.testing.assert_close(found[mask == 1], expected[mask == 1], **CLOSE)


@torch.no_grad()
@pytest.mark.parametrize("kind", ["dynamic", "growing", "static"])
def test_a_cache_changes_nothing(model: MosaicGPTForCausalLM, kind: str) -> None:
    given, mask = padded(ids_of(), [3, 0], "left")
    length = given.shape[1]
    cache = {
        "dynamic": lambda: DynamicCache(config=model.config),
        "growing": lambda: GrowingCache(model.config),
        "static": lambda: StaticCache(config=model.config, max_cache_len=length + 5),
    }[kind]()
    expected = logits_of(dict(model.state_dict()), given, mask)
    found = []
    for start, end in [(0, 7), (7, 10), *((i, i + 1) for i in range(10, length))]:
        step = model(given[:, start:end], attention_mask=mask[:, :end], past_key_values=cache)
        assert step.past_key_values is cache
        found.append(step.logits)
    torch.testing.assert_close(torch.cat(found, 1)[mask == 1], expected[mask == 1], **CLOSE)


@torch.no_grad()
def test_padding_changes_nothing(model: MosaicGPTForCausalLM) -> None:
    """Nor is there anything that is not a number where padding stands, in half precision too."""
    ids = ids_of(rows=1)
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        own = copy.deepcopy(model).to(dtype)
        for side, kept in (("left", slice(20, None)), ("right", slice(None, LENGTH))):
            pads = torch.full((1, 20), 2)
            wide = torch.cat([pads, ids] if side == "left" else [ids, pads], 1)
            mask = torch.zeros_like(wide)
            mask[:, kept] = 1
            found = own(wide, attention_mask=mask).logits
            assert found.isfinite().all()
            tolerance = 1e-5 if dtype == torch.float32 else 0.05
            torch.testing.assert_close(
                found[:, kept], own(ids).logits, atol=tolerance, rtol=tolerance
            )


@torch.no_grad()
def test_padding_is_finite_under_autocast(model: MosaicGPTForCausalLM) -> None:
    given, mask = padded(ids_of(), [6, 0], "left")
    with torch.autocast("cpu", torch.bfloat16):
        found = model(given, attention_mask=mask)
    assert found.logits.isfinite().all()
    kept = found.past_key_values.layers[0]
    assert kept.keys.dtype == kept.values.dtype == torch.bfloat16
    exact = model(given, attention_mask=mask).logits
    assert (found.logits.float() - exact)[mask == 1].abs().max() < 0.1 * exact.std()


@torch.no_grad()
def test_near_tokens_are_told_apart_in_half_precision(model: MosaicGPTForCausalLM) -> None:
    """Far from the end of a row too, where bfloat16 has one number for several places."""
    own = copy.deepcopy(model).to(torch.bfloat16)
    ids = ids_of(rows=1, length=700)
    expected = model(ids).logits
    assert (own(ids).logits.float() - expected).abs().max() < 0.2 * expected.std()


@torch.no_grad()
def test_it_reads_on_past_its_training_length(model: MosaicGPTForCausalLM) -> None:
    ids = ids_of(length=4 * RELEASED["max_seq_len"])
    expected = logits_of(dict(model.state_dict()), ids, torch.ones_like(ids))
    torch.testing.assert_close(model(ids).logits, expected, **CLOSE)


@torch.no_grad()
def test_masks_of_four_dimensions_are_taken_as_they_are(model: MosaicGPTForCausalLM) -> None:
    given, mask = padded(ids_of(), [3, 1], "left")
    length = given.shape[1]
    sees = torch.ones(length, length).tril().bool() & mask.bool()[:, None]
    added = torch.zeros(sees.shape).masked_fill(~sees, float("-inf"))
    expected = model(given, attention_mask=mask).logits
    for form in (sees, added):
        found = model(given, attention_mask=form[:, None]).logits
        assert found.isfinite().all()
        torch.testing.assert_close(found[mask == 1], expected[mask == 1], **CLOSE)
    for_all = torch.ones(1, 1, length, length).tril().bool()
    torch.testing.assert_close(model(given, attention_mask=for_all).logits, model(given).logits)


@torch.no_grad()
def test_embeddings_and_chosen_logits(model: MosaicGPTForCausalLM) -> None:
    ids = ids_of()
    expected = model(ids).logits
    embedded = model.get_input_embeddings()(ids)
    torch.testing.assert_close(model(inputs_embeds=embedded).logits, expected)
    torch.testing.assert_close(model(ids, logits_to_keep=3).logits, expected[:, -3:])
    chosen = torch.tensor([0, 5])
    torch.testing.assert_close(model(ids, logits_to_keep=chosen).logits, expected[:, chosen])
    with pytest.raises(SequenceError, match="both are missing"):
        model()
    with pytest.raises(SequenceError, match="both are given"):
        model(ids, inputs_embeds=embedded)


@torch.no_grad()
def test_what_happens_inside_can_be_looked_at(tmp_path: Path) -> None:
    released_folder(tmp_path)
    model = loaded(tmp_path, attn_implementation="eager")
    ids = ids_of()
    found = model(ids, output_hidden_states=True, output_attentions=True)
    assert len(found.hidden_states) == RELEASED["n_layers"] + 1
    torch.testing.assert_close(found.hidden_states[0], model.get_input_embeddings()(ids))
    torch.testing.assert_close(model.lm_head(found.hidden_states[-1]), found.logits)
    assert len(found.attentions) == RELEASED["n_layers"]
    torch.testing.assert_close(found.attentions[0].sum(-1), torch.ones(2, 4, LENGTH))
    assert isinstance(model(ids, return_dict=False), tuple)


# --- files ------------------------------------------------------------------------------------


def test_released_names_come_back_from_a_round_trip(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    weights = released_folder(tmp_path / "in")
    model, info = AutoModelForCausalLM.from_pretrained(tmp_path / "in", output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert model.lm_head.weight is model.transformer.wte.weight
    assert not any(t.is_meta for t in [*model.parameters(), *model.buffers()])
    model.save_pretrained(tmp_path / "out")
    written = load_file(tmp_path / "out" / "model.safetensors")
    assert written.keys() == weights.keys()
    assert all(torch.equal(written[name], weights[name]) for name in weights)
    again = loaded(tmp_path / "out")
    assert torch.equal(again(ids_of()).logits, model.eval()(ids_of()).logits)
    kept = json.loads((tmp_path / "out" / "config.json").read_text())
    assert "auto_map" not in kept
    same = set(RELEASED) - {"architectures", "auto_map", "torch_dtype", "transformers_version"}
    same -= {"_name_or_path", "use_cache"}
    assert {name: kept[name] for name in same} == {name: RELEASED[name] for name in same}


def test_a_released_configuration_is_read(tmp_path: Path) -> None:
    released_folder(tmp_path)
    config = AutoConfig.from_pretrained(tmp_path)
    assert type(config) is MosaicGPTConfig
    sizes = (config.hidden_size, config.num_hidden_layers, config.num_attention_heads)
    assert sizes == (32, 3, 4)
    assert config.max_position_embeddings == RELEASED["max_seq_len"]
    assert config.use_cache
    assert config.tie_word_embeddings


def test_no_file_turns_the_cache_off(tmp_path: Path) -> None:
    released_folder(tmp_path)
    assert loaded(tmp_path).generation_config.use_cache
    generation = {"_from_model_config": True, "use_cache": False}
    (tmp_path / "generation_config.json").write_text(json.dumps(generation))
    model = loaded(tmp_path)
    assert model.generation_config.use_cache
    lengths: list[int] = []
    model.transformer.blocks[0].register_forward_pre_hook(
        lambda _, args: lengths.append(args[0].shape[1])
    )
    model.generate(ids_of(), max_new_tokens=3, min_new_tokens=3, do_sample=False, pad_token_id=2)
    assert lengths == [LENGTH, 1, 1]
    assert MosaicGPTForCausalLM(MosaicGPTConfig(**RELEASED)).generation_config.use_cache


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"alibi": False}, r"alibi=False cannot run.*trained with alibi=True"),
    ({"learned_pos_emb": True}, "learned_pos_emb=True cannot run"),
    ({"no_bias": False}, "no_bias=False cannot run"),
    ({"prefix_lm": True}, "prefix_lm=True cannot run"),
    ({"attn_uses_sequence_id": True}, "attn_uses_sequence_id=True cannot run"),
    ({"embedding_fraction": 0.1}, r"embedding_fraction=0\.1 cannot run"),
    ({"tie_word_embeddings": False}, "tie_word_embeddings=False cannot run"),
    ({"n_heads": 12}, "n_heads is 12"),
    ({"d_model": 30}, "d_model is 30"),
    ({"logit_scale": "sqrt"}, "logit_scale is 'sqrt'"),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED, ids=lambda value: str(value)[:30])
def test_what_it_does_not_do_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({**RELEASED, **changes}))
    with pytest.raises(ConfigError, match=message):
        AutoConfig.from_pretrained(tmp_path)


# --- generation, training, hosting ------------------------------------------------------------


@pytest.mark.parametrize("num_beams", [1, 3])
@pytest.mark.parametrize("implementation", [None, "static"])
def test_answers_are_the_same_with_a_cache(
    model: MosaicGPTForCausalLM, num_beams: int, implementation: str | None
) -> None:
    given, mask = padded(ids_of(rows=3), [4, 0, 2], "left")
    settings = {
        "attention_mask": mask, "max_new_tokens": 12, "do_sample": False, "num_beams": num_beams,
        "pad_token_id": 2, "eos_token_id": 49,
    }  # fmt: skip
    slow = model.generate(given, use_cache=False, **settings)
    fast = model.generate(given, cache_implementation=implementation, **settings)
    assert torch.equal(slow, fast)
    assert len(slow[:, -12:].unique()) > 4
    for row, own in zip(fast, mask, strict=True):
        text = row[: len(own)][own == 1][None]
        alone = model.generate(text, **{**settings, "attention_mask": torch.ones_like(text)})
        answer = alone[0, text.shape[1] :]
        assert torch.equal(answer, row[len(own) :][: len(answer)])


def test_new_weights_are_sane() -> None:
    torch.manual_seed(0)
    config = MosaicGPTConfig(vocab_size=200, d_model=64, n_layers=8, n_heads=4, init_std=0.03)
    model = MosaicGPTForCausalLM(config).eval()
    block = model.transformer.blocks[0]
    for part in (model.lm_head, block.attn.Wqkv, block.attn.out_proj, block.mlp.mlp_down):
        assert part.weight.std().item() == pytest.approx(0.03, rel=0.05)
    for norm in (block.ln_1, block.ln_2, block.attn.q_ln, block.attn.k_ln, model.transformer.ln_f):
        assert torch.equal(norm.weight, torch.ones(64))
        assert norm.bias is None
    ids = ids_of()
    loss = model(ids, labels=ids).loss
    assert loss.item() == pytest.approx(torch.tensor(200.0).log().item(), rel=0.05)


def test_checkpointed_activations_give_the_same_gradients(model: MosaicGPTForCausalLM) -> None:
    ids, found = ids_of(), []
    for is_checkpointed in (False, True):
        own = copy.deepcopy(model).train()
        if is_checkpointed:
            own.activation_checkpointing_enable()
            assert own(ids).past_key_values is None
        own(ids, labels=ids).loss.backward()
        found.append([parameter.grad for parameter in own.parameters()])
    assert all(grad is not None and grad.abs().sum() > 0 for grad in found[0])
    torch.testing.assert_close(found[1], found[0])


def test_dropout_acts_in_training_only(tmp_path: Path) -> None:
    for name in ("attn_pdrop", "resid_pdrop", "emb_pdrop"):
        released_folder(tmp_path, **{name: 0.5})
        model = loaded(tmp_path)
        ids = ids_of()
        assert torch.equal(model(ids).logits, model(ids).logits)
        model.train()
        assert not torch.equal(model(ids).logits, model(ids).logits)


def test_it_carries_gated_layers(model: MosaicGPTForCausalLM) -> None:
    host = Host.of(model)
    assert host.layers is model.transformer.blocks
    assert host.embedding is model.transformer.wte
    assert host.head is model.lm_head
    assert host.dim == 32
    assert host.is_tied
    assert model.get_decoder() is model.transformer
