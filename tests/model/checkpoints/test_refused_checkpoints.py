"""What is cut off, of another kind, or carries code is refused, by name and with advice."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from flamingo import FlamingoForConditionalGeneration
from flamingo.foundation.errors import CheckpointError
from tests.model.checkpoints import idefics_checkpoints, open_flamingo_checkpoints
from tests.model.checkpoints.open_flamingo_checkpoints import Written


@pytest.fixture
def idefics(tmp_path: Path) -> Path:
    idefics_checkpoints.write_checkpoint(tmp_path / "idefics")
    return tmp_path / "idefics"


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return open_flamingo_checkpoints.write_checkpoint(
        tmp_path, family="gpt_neox", every=2, layers=4
    )


def load_idefics(folder: Path) -> None:
    FlamingoForConditionalGeneration.from_pretrained(folder)


def load_open_flamingo(written: Written, **changes: Any) -> None:
    parts = {"language_model": written.language_model, "vision_encoder": written.vision_encoder}
    FlamingoForConditionalGeneration.from_pretrained(written.folder, **(parts | changes))


def change_tensors(written: Written, change: Any) -> None:
    path = written.folder / "checkpoint.pt"
    tensors = torch.load(path, weights_only=True)
    change(tensors)
    torch.save(tensors, path)


def change_settings(folder: Path, **changes: Any) -> None:
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(settings | changes))


def test_a_shard_that_is_cut_off(idefics: Path) -> None:
    shard = sorted(idefics.glob("*.safetensors"))[1]
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=rf"(?s){shard.name}.*broke off.*fetch"):
        load_idefics(idefics)


def test_a_shard_that_is_missing(idefics: Path) -> None:
    shard = sorted(idefics.glob("*.safetensors"))[1]
    shard.unlink()
    with pytest.raises(CheckpointError, match=rf"(?s){shard.name}.*not beside it.*incomplete"):
        load_idefics(idefics)


def test_an_index_that_leads_elsewhere(idefics: Path) -> None:
    index = idefics / "model.safetensors.index.json"
    content = json.loads(index.read_text())
    name = next(iter(content["weight_map"]))
    shutil.copy(idefics / content["weight_map"][name], idefics.parent / "other.safetensors")
    content["weight_map"][name] = "../other.safetensors"
    index.write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match="not beside it"):
        load_idefics(idefics)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"hidden_size": 16}, "Of another shape"),
        ({"qk_layer_norms": False}, "Unknown: .*q_layer_norm"),
        ({"cross_layer_interval": 2}, "Missing: .*gated_cross_attn_layers"),
        ({"cross_layer_interval": 8}, "Unknown: .*gated_cross_attn_layers"),
        ({"additional_vocab_size": 3}, "Of another shape: .*additional"),
        ({"use_resampler": False}, "use_resampler=false"),
        ({"alpha_type": "vector"}, "Of another shape: .*alpha"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_settings_of_another_model(idefics: Path, changes: dict[str, Any], named: str) -> None:
    change_settings(idefics, **changes)
    with pytest.raises(CheckpointError, match=f"(?s){named}"):
        load_idefics(idefics)


def test_a_tensor_that_nobody_knows(idefics: Path) -> None:
    shard = sorted(idefics.glob("*.safetensors"))[0]
    save_file({**load_file(shard), "model.extra.weight": torch.ones(2)}, shard, {"format": "pt"})
    with pytest.raises(CheckpointError, match=r"Unknown: model\.extra\.weight"):
        load_idefics(idefics)


class Payload:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.write_text, (self.path, "the code ran"))


def test_a_pickle_with_code_in_it(written: Written, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    path = written.folder / "checkpoint.pt"
    tensors = torch.load(path, weights_only=True)
    for save in (torch.save, lambda content, to: Path(to).write_bytes(pickle.dumps(content, 2))):
        save({**tensors, "extra": Payload(trace)}, path)
        with pytest.raises(CheckpointError, match=r"(?s)code that runs when it is opened"):
            load_open_flamingo(written)
        assert not trace.exists()
    # The payload is a real one: what reads it without care runs it.
    pickle.loads(path.read_bytes())
    assert trace.read_text() == "the code ran"


@pytest.mark.parametrize("kept", [0, 100, 0.5, 0.99])
def test_a_pickle_that_is_cut_off(written: Written, kept: float) -> None:
    path = written.folder / "checkpoint.pt"
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content) if kept < 1 else kept)])
    with pytest.raises(CheckpointError, match=r"(?s)checkpoint\.pt"):
        load_open_flamingo(written)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda t: t.pop("perceiver.norm.weight"), r"Missing: perceiver\.norm\.weight"),
        (lambda t: t.update(surprise=torch.ones(1)), "Unknown: surprise"),
        (lambda t: t.update({"perceiver.norm.bias": torch.ones(3)}), r"perceiver\.norm\.bias: \[3"),
        (lambda t: t.clear(), "no state dict"),
        (lambda t: t.update(step=7), "'step'"),
    ],
    ids=["missing", "unknown", "shape", "empty", "number"],
)
def test_a_checkpoint_that_is_not_whole(written: Written, change: Any, named: str) -> None:
    change_tensors(written, change)
    with pytest.raises(CheckpointError, match=f"(?s){named}"):
        load_open_flamingo(written)


def test_another_language_model(written: Written, tmp_path: Path) -> None:
    other = open_flamingo_checkpoints.write_checkpoint(
        tmp_path / "other", family="llama", every=4, layers=4
    )
    with pytest.raises(CheckpointError, match="Give the language model that it was trained with"):
        load_open_flamingo(written, language_model=other.language_model)


def test_a_checkpoint_that_does_not_say_its_parts(written: Written) -> None:
    with pytest.raises(CheckpointError, match=r"(?s)language_model=FOLDER.*OpenFlamingo-3B"):
        load_open_flamingo(written, language_model=None)


def test_options_without_effect(idefics: Path) -> None:
    with pytest.raises(CheckpointError, match="ignore_mismatched_sizes have no effect"):
        FlamingoForConditionalGeneration.from_pretrained(idefics, ignore_mismatched_sizes=True)


def test_a_head_that_lacks_the_rows_of_new_tokens(tmp_path: Path) -> None:
    written = open_flamingo_checkpoints.write_checkpoint(
        tmp_path, family="llama", every=2, layers=2, vocabulary=264
    )
    with pytest.raises(CheckpointError, match=r"(?s)267 rows .* has 264"):
        load_open_flamingo(written)


def test_trained_parts_alone_would_lose_the_table(written: Written, tmp_path: Path) -> None:
    model = FlamingoForConditionalGeneration.from_pretrained(
        written.folder,
        language_model=written.language_model,
        vision_encoder=written.vision_encoder,
    )
    with pytest.raises(CheckpointError, match=r"(?s)embeddings of the checkpoint.*full=True"):
        model.save_pretrained(tmp_path / "trained")
    assert not (tmp_path / "trained").exists()
