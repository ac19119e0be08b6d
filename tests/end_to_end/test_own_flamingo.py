"""One command from somebody's own encoder, language model and pictures to a model that answers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from flamingo import Predictor
from flamingo.cli.main import main
from flamingo.foundation.records import read_yaml
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.training.reporting import read_log
from tests.presets.own_parts import (
    BRIDGE,
    SHORT,
    drawn,
    own_parts,
    pages_tar,
    pairs_tar,
    text_jsonl,
    videos_tar,
)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLAMINGO_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("own")
    data = []
    for kind, write in (("pages", pages_tar), ("pairs", pairs_tar), ("videos", videos_tar)):
        path = write(folder / f"{kind}.tar")
        data += [f"data.{kind}.{s}" for s in (f"kind={kind}", f"path={path}", "batch=2")]
    return ["train", "flamingo", *own_parts(folder), *data, *BRIDGE, *SHORT]


@pytest.fixture(scope="module")
def trained(command: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "mine"
    assert main([*command, "--out", str(run)]) == 0
    return run


def test_it_learned_from_every_data_set(trained: Path) -> None:
    steps = [line for line in read_log(trained / "log.jsonl") if "loss" in line]
    assert [line["step"] for line in steps if "step" in line][-1] == 3
    assert all(set(line["loss"]) == {"pages", "pairs", "videos"} for line in steps)


def test_what_it_leaves_answers_in_the_shell(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query = tmp_path / "new.png"
    query.write_bytes(drawn("green"))
    line = ["prompt", "--model", str(trained / "model"), "--query", str(query)]
    assert main([*line, "--choices", "a red square.", "a blue square."]) == 0
    assert "square." in capsys.readouterr().out


def test_frozen_weights_are_kept_in_16_bits_and_bit_identical(trained: Path) -> None:
    model = FlamingoForConditionalGeneration.from_pretrained(trained / "model")
    base = model.language_model
    original = type(base).from_pretrained(_setting(trained, "language"), dtype=torch.bfloat16)
    for name, value in original.state_dict().items():
        assert torch.equal(base.state_dict()[name], value), name
    assert {value.dtype for value in base.parameters()} == {torch.bfloat16}


def test_the_bridge_moved(trained: Path) -> None:
    model = FlamingoForConditionalGeneration.from_pretrained(trained / "model")
    gates = [v for n, v in model.named_parameters() if "alpha" in n]
    assert len(gates) == 4
    assert any(gate.abs().max() > 0 for gate in gates)


def test_trained_parts_alone_find_the_others(
    command: list[str], trained: Path, tmp_path: Path
) -> None:
    assert main([*command, "model.export=trained", "--out", str(tmp_path / "run")]) == 0
    whole, parts = (
        Predictor.from_pretrained(run / "model", device="cpu")
        for run in (trained, tmp_path / "run")
    )
    size = sum(f.stat().st_size for f in (tmp_path / "run/model").glob("*.safetensors"))
    assert size < sum(f.stat().st_size for f in (trained / "model").glob("*.safetensors"))
    pixels = {"pixel_values": torch.randn(1, 1, 1, 3, 32, 32)}
    with torch.no_grad():
        tokens = [p.model.encode_visuals(**pixels) for p in (whole, parts)]
    torch.testing.assert_close(tokens[0], tokens[1], rtol=0, atol=0.05)


def test_co_training_changes_the_language_model(command: list[str], tmp_path: Path) -> None:
    text = text_jsonl(tmp_path / "text.jsonl")
    extra = [
        "model.freeze_language_model=false",
        "training.language_learning_rate_multiplier=0.1",
        "data.text.kind=text",
        f"data.text.path={text}",
        "data.text.batch=2",
        "data.videos=null",
    ]
    assert main([*command, *extra, "--out", str(tmp_path / "run")]) == 0
    steps = [line for line in read_log(tmp_path / "run/log.jsonl") if "loss" in line]
    assert set(steps[0]["loss"]) == {"pages", "pairs", "text"}
    model = FlamingoForConditionalGeneration.from_pretrained(tmp_path / "run/model")
    original = type(model.language_model).from_pretrained(_setting(tmp_path / "run", "language"))
    moved = [
        not torch.equal(model.language_model.state_dict()[name], value.bfloat16())
        for name, value in original.state_dict().items()
    ]
    assert sum(moved) > len(moved) / 2


def _setting(run: Path, name: str) -> str:
    return str(read_yaml(run / "recipe.yaml")["model"][name])
