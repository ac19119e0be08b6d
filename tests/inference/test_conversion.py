"""A converted checkpoint is a model of ours: it saves, loads, answers, and says what was said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from flamingo import FlamingoForConditionalGeneration, FlamingoProcessor, Predictor
from flamingo.cli.main import main
from flamingo.foundation.errors import CheckpointError
from flamingo.inference.conversion import convert
from tests.data.trained_tokenizers import idefics_like
from tests.model.checkpoints import idefics_checkpoints, open_flamingo_checkpoints
from tests.model.checkpoints.open_flamingo_checkpoints import Written

RELEASES = {
    "3B": {"family": "mosaic_gpt", "every": 1, "layers": 2},
    "4B": {"family": "gpt_neox", "every": 2, "layers": 4},
    "9B": {"family": "mpt", "every": 2, "layers": 4},
}


def write_idefics(folder: Path, **settings: Any) -> Path:
    """A whole release: weights, tokenizer, and how pictures are prepared."""
    tokenizer = idefics_like("legacy", is_instructed=settings.get("additional_vocab_size") == 3)
    added = 3 if settings.get("additional_vocab_size") == 3 else 2
    idefics_checkpoints.write_checkpoint(folder, vocab_size=len(tokenizer) - added, **settings)
    tokenizer.save_pretrained(folder)
    size = idefics_checkpoints.SIZE
    (folder / "preprocessor_config.json").write_text(
        json.dumps({"image_size": size, "image_mean": [0.4] * 3, "image_std": [0.3] * 3})
    )
    return folder


def write_open_flamingo(root: Path, release: str = "3B", **settings: Any) -> Written:
    return open_flamingo_checkpoints.write_checkpoint(root, **RELEASES[release], **settings)


def asked(predictor: Predictor) -> list[Any]:
    """Open and close-ended answers about two pictures, with supports and without."""
    red, blue = (Image.new("RGB", (40, 28), color) for color in ("red", "blue"))
    answers = [
        predictor.answer(red, max_new_tokens=4),
        predictor.answer(
            red, supports=[(blue, "no")], question="cat?", num_beams=1, max_new_tokens=3
        ),
        predictor.answer(blue, supports=[(red, "yes")], choices=["yes", "no"]),
    ]
    return [(answer.text, round(answer.score, 3), len(answer.choices)) for answer in answers]


@pytest.mark.parametrize("settings", idefics_checkpoints.RELEASED.values())
def test_a_converted_idefics_says_what_it_said(tmp_path: Path, settings: dict[str, Any]) -> None:
    source, target = write_idefics(tmp_path / "theirs", **settings), tmp_path / "ours"
    convert(source, target)
    before, after = Predictor.from_pretrained(source), Predictor.from_pretrained(target)
    assert asked(before) == asked(after)
    for name, value in before.model.state_dict().items():
        assert torch.equal(value, after.model.state_dict()[name]), name
    assert after.model.generation_config.eos_token_id == before.model.generation_config.eos_token_id
    assert after.processor.image_processor.fit == "squash"


@pytest.mark.parametrize("release", RELEASES)
def test_a_converted_open_flamingo_says_what_it_said(tmp_path: Path, release: str) -> None:
    written, target = write_open_flamingo(tmp_path, release), tmp_path / "ours"
    parts = {"language_model": written.language_model, "vision_encoder": written.vision_encoder}
    convert(written.folder, target, **parts)
    before = Predictor.from_pretrained(written.folder, **parts)
    after = Predictor.from_pretrained(target)
    assert asked(before) == asked(after)
    assert after.processor.eoc_tag == "<|endofchunk|>"
    assert after.model.generation_config.suppress_tokens == [
        after.model.config.image_token_id,
        after.model.config.image_token_id + 1,
    ]


def test_it_saves_and_loads_as_any_model(tmp_path: Path) -> None:
    convert(write_idefics(tmp_path / "theirs"), tmp_path / "ours")
    model = FlamingoForConditionalGeneration.from_pretrained(tmp_path / "ours")
    model.save_pretrained(tmp_path / "again", full=True)
    FlamingoProcessor.from_pretrained(tmp_path / "ours").save_pretrained(tmp_path / "again")
    one, two = (Predictor.from_pretrained(tmp_path / name) for name in ("ours", "again"))
    assert asked(one) == asked(two)
    assert two.model.resampler.latents.requires_grad
    assert not any(p.requires_grad for p in two.model.language_model.parameters())


def test_it_is_written_in_shards_and_in_another_format(tmp_path: Path) -> None:
    source, target = write_idefics(tmp_path / "theirs"), tmp_path / "ours"
    convert(source, target, dtype=torch.bfloat16, shard_bytes=30_000)
    shards = sorted(target.glob("model-*-of-*.safetensors"))
    assert len(shards) > 3
    assert {v.dtype for path in shards for v in load_file(path).values()} == {torch.bfloat16}
    model = FlamingoForConditionalGeneration.from_pretrained(target)
    assert model.resampler.latents.dtype == torch.bfloat16
    plain = FlamingoForConditionalGeneration.from_pretrained(source)
    torch.testing.assert_close(model.resampler.latents, plain.resampler.latents.bfloat16())


def test_what_broke_off_goes_on(tmp_path: Path) -> None:
    source, target = write_idefics(tmp_path / "theirs"), tmp_path / "ours"
    convert(source, target, shard_bytes=30_000)
    whole = {path.name: path.read_bytes() for path in target.iterdir()}
    shards = sorted(target.glob("*.safetensors"))
    (target / "config.json").unlink()
    shards[1].write_bytes(shards[1].read_bytes()[:-10])
    shards[2].unlink()
    times = {path: path.stat().st_mtime_ns for path in (shards[0], *shards[3:])}
    done: list[int] = []
    convert(source, target, shard_bytes=30_000, progress=lambda now, total: done.append(now))
    assert {path.name: path.read_bytes() for path in target.iterdir()} == whole
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())
    assert done == sorted(done)


def test_a_folder_with_a_model_in_it_is_left_alone(tmp_path: Path) -> None:
    source = write_idefics(tmp_path / "theirs")
    convert(source, tmp_path / "ours")
    with pytest.raises(CheckpointError, match="holds a model already"):
        convert(source, tmp_path / "ours")
    with pytest.raises(CheckpointError, match="nothing to convert"):
        convert(tmp_path / "ours", tmp_path / "twice")


def test_the_command_converts_and_the_result_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written, target = write_open_flamingo(tmp_path), tmp_path / "ours"
    given = ["--language-model", str(written.language_model)]
    given += ["--vision-encoder", str(written.vision_encoder)]
    Image.new("RGB", (30, 40), "green").save(tmp_path / "a.png")
    assert main(["convert", str(written.folder), str(target), *given]) == 0
    assert "GB of weights" in capsys.readouterr().out
    query = ["--query", str(tmp_path / "a.png"), "--support", str(tmp_path / "a.png"), "a dog"]
    assert main(["prompt", "--model", str(target), *query, "--max-new-tokens", "3"]) == 0
    converted = capsys.readouterr().out
    assert main(["prompt", "--model", str(written.folder), *given, *query,
                 "--max-new-tokens", "3"]) == 0  # fmt: skip
    assert capsys.readouterr().out == converted


def test_another_models_tokenizer_is_refused(tmp_path: Path) -> None:
    written = write_open_flamingo(tmp_path)
    other = idefics_like("legacy")
    with pytest.raises(CheckpointError, match="another model's tokenizer"):
        convert(
            written.folder,
            tmp_path / "ours",
            language_model=written.language_model,
            vision_encoder=written.vision_encoder,
            tokenizer=other,
        )


def test_weights_of_another_conversion_are_not_mixed_in(tmp_path: Path) -> None:
    source, target = write_idefics(tmp_path / "theirs"), tmp_path / "ours"

    def interrupted(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(source, target, shard_bytes=30_000, progress=interrupted)
    before = {path.name: path.read_bytes() for path in target.iterdir()}
    with pytest.raises(CheckpointError, match=r"(?s)not of this conversion: model-00001-of"):
        convert(source, target, dtype=torch.bfloat16)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before
    convert(source, target, shard_bytes=30_000)
    assert asked(Predictor.from_pretrained(target)) == asked(Predictor.from_pretrained(source))
