"""Released models on the command line: what cannot be right is told in words, and soon."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from huggingface_hub import constants
from PIL import Image

from flamingo import FlamingoProcessor
from flamingo.cli.loading import Loading
from flamingo.cli.main import main
from flamingo.cli.prompt_reading import PromptReading
from tests.inference.test_conversion import write_idefics, write_open_flamingo
from tests.model.checkpoints.idefics_checkpoints import RELEASED
from tests.model.checkpoints.open_flamingo_checkpoints import Written


@pytest.fixture(scope="module")
def idefics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_idefics(tmp_path_factory.mktemp("idefics"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write_open_flamingo(tmp_path_factory.mktemp("open_flamingo"))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.new("RGB", (30, 20), "red").save(tmp_path / "a.png")
    return tmp_path / "a.png"


@pytest.fixture
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


def refused(capsys: pytest.CaptureFixture[str], *line: str | Path) -> str:
    assert main([str(word) for word in line]) == 2
    return capsys.readouterr().err


@pytest.mark.usefixtures("no_network")
def test_a_hub_that_cannot_be_reached_is_not_a_model_of_another_kind(
    written: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = refused(capsys, "convert", "nobody/nothing", tmp_path / "x")
    assert "nobody/nothing cannot be fetched: the hub cannot be reached." in told
    parts = {"--language-model": written.language_model, "--vision-encoder": written.vision_encoder}
    for option, part in parts.items():
        given = {name: f"{value}" for name, value in parts.items()} | {option: "typos/nope"}
        options = [word for pair in given.items() for word in pair]
        told = refused(capsys, "convert", written.folder, tmp_path / "x", *options)
        assert "typos/nope cannot be fetched" in told, part
    assert not (tmp_path / "x").exists()


@pytest.mark.usefixtures("no_network")
def test_what_was_downloaded_before_needs_no_network(
    idefics: Path, tmp_path: Path, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = tmp_path / "hub" / "models--some--idefics"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs" / "main").write_text("abc")
    (cache / "snapshots").mkdir()
    (cache / "snapshots" / "abc").symlink_to(idefics, target_is_directory=True)
    asked = ["prompt", "--query", str(picture), "--max-new-tokens", "2", "--model"]
    assert main([*asked, "some/idefics"]) == 0
    by_name = capsys.readouterr().out
    assert main([*asked, str(idefics)]) == 0
    assert capsys.readouterr().out == by_name


def test_a_part_of_another_kind(
    written: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    convert = ("convert", written.folder, tmp_path / "x", "--language-model")
    lm, eye = written.language_model, written.vision_encoder
    told = refused(capsys, *convert, lm, "--vision-encoder", lm)
    assert "is a model of the type 'mosaic_gpt'" in told
    told = refused(capsys, *convert, eye, "--vision-encoder", eye)
    assert "Give a folder with a causal language model" in told
    assert len(told) < 600
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("option", ["--language-model", "--vision-encoder"])
def test_a_part_for_a_model_that_has_its_own(
    option: str,
    idefics: Path,
    written: Written,
    picture: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for model in ("miniature", idefics):
        line = ("prompt", "--model", model, "--query", picture, option, written.language_model)
        told = refused(capsys, *line)
        name = option.removeprefix("--").replace("-", "_")
        assert f"holds all of its parts, so {name} would have no effect" in told


def test_a_folder_for_layers_that_are_nowhere_sent(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = refused(capsys, "prompt", "--query", picture, "--offload", tmp_path / "disk")
    assert "has no effect without --device-map" in told


def test_files_that_are_no_json(
    tmp_path: Path, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("config.json", "tokenizer.json"):
        folder = write_idefics(tmp_path / name)
        (folder / name).write_text("{")
        told = refused(capsys, "convert", folder, tmp_path / "x")
        assert f"{name} is not JSON" in told
        assert "cannot be loaded" in refused(
            capsys, "prompt", "--model", folder, "--query", picture
        )


@pytest.mark.parametrize(
    ("is_instructed", "text"),
    [
        (False, "Two lines.\n\nImage:<image>Caption: a cat\nImage:<image>Caption:"),
        (True, "\n\nUser:<image>Is it?<end_of_utterance>\nAssistant: no.\n\nUser:<image>And"),
        (True, "User:<fake_token_around_image><image><image><fake_token_around_image>Is it?"),
    ],
)
def test_a_whole_prompt_is_read_as_by_the_processor(
    is_instructed: bool, text: str, idefics: Path, tmp_path: Path, picture: Path
) -> None:
    if is_instructed:
        idefics = write_idefics(tmp_path / "instruct", **RELEASED["9B instruct"])
    processor = Loading().processor(idefics)
    pictures = [str(picture)] * 2
    args = argparse.Namespace(text=text, visual=pictures, fps=1.0, max_frames=1, video=False)
    own = processor.encoder()(PromptReading(processor, args).document(), is_complete=False)
    whole = FlamingoProcessor.from_pretrained(idefics)(text=text, images=pictures)
    assert own.token_ids == whole["input_ids"][0].tolist()
    assert own.visual_index == whole["visual_index"][0].tolist()
    assert processor.tokenizer.decode(own.token_ids).count("\n") == text.count("\n")
