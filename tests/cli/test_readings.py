"""Every way to show a model a picture goes through the reading of its own processor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from flamingo import FlamingoImageProcessor, Predictor, Request, load_visual
from flamingo.cli.evaluate_bench import Bench
from flamingo.cli.loading import Loading
from flamingo.cli.main import main
from flamingo.evaluation.benchmarks.opening import BenchmarkSettings
from flamingo.foundation.errors import CheckpointError
from tests.data.pictures_for_tests import picture, stored
from tests.evaluation.lmms_stand_in import installed
from tests.tiny import SIZE
from tests.tiny_predictor import tiny_predictor


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    """A tiny model that reads as OpenFlamingo does."""
    predictor = tiny_predictor()
    own = FlamingoImageProcessor(SIZE, fit="crop", reading="open_clip")
    predictor.processor.image_processor = own
    return predictor


@pytest.fixture(scope="module")
def model(predictor: Predictor, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    predictor.model.save_pretrained(folder, full=True)
    predictor.processor.save_pretrained(folder)
    return str(folder)


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Pictures with alpha and a note of the camera's rotation."""
    paths = [tmp_path / f"{seed}.png" for seed in range(3)]
    for seed, path in enumerate(paths):
        path.write_bytes(stored(picture("RGBA", seed=seed), "PNG", 6))
    return paths


def shown(load: Any, pictures: list[Path]) -> Request:
    shots = [(load(pictures[0]), "red"), (load(pictures[1]), "blue")]
    return Request.of(load(pictures[2]), supports=shots, choices=["red", "blue"])


def test_a_predictor_reads_as_its_model(predictor: Predictor, pictures: list[Path]) -> None:
    own = shown(predictor.processor.image_processor.load, pictures)
    usual = shown(load_visual, pictures)
    expected, other = predictor.answer_all([own]) + predictor.answer_all([usual])
    shots = [(pictures[0], "red"), (pictures[1], "blue")]
    query: dict[str, Any] = {"query": pictures[2], "choices": ["red", "blue"]}
    for supports in (shots, predictor.read(shots)):
        score = predictor.answer(supports=supports, **query).score
        assert score == pytest.approx(expected.score, abs=1e-4)
        assert score != pytest.approx(other.score, abs=1e-3)


@pytest.mark.parametrize("way", ["--query", "--jsonl", "--text"])
def test_the_prompt_command_reads_as_its_model(
    way: str,
    predictor: Predictor,
    model: str,
    pictures: list[Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    expected = predictor.answer(pictures[2], choices=["red", "blue"])
    line = {"query": {"visual": str(pictures[2])}, "choices": ["red", "blue"]}
    lines = pictures[2].with_name("asked.jsonl")
    lines.write_text(json.dumps(line), encoding="utf-8")
    options = {
        "--query": ["--query", str(pictures[2]), "--choices", "red", "blue"],
        "--jsonl": ["--jsonl", str(lines)],
        "--text": [
            *("--text", "<image>Output:", "--visual", str(pictures[2])),
            *("--choices", "red", "blue"),
        ],
    }
    assert main(["prompt", "--model", model, *options[way], "--json", "--dtype", "fp32"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["score"] == pytest.approx(expected.score, abs=1e-4)


@pytest.mark.parametrize("rices", [False, True])
def test_benchmarks_are_read_as_their_model(
    rices: bool, model: str, pictures: list[Path], tmp_path: Path
) -> None:
    items = [{"image": path.name, "question": "what?", "answer": "red"} for path in pictures]
    (tmp_path / "asked.jsonl").write_text("\n".join(map(json.dumps, items)), encoding="utf-8")
    task = tmp_path / "own.yaml"
    task.write_text("name: own\ndata: asked.jsonl\n", encoding="utf-8")
    settings = BenchmarkSettings(folders={"own": tmp_path}, rices=rices)
    bench = Bench(model, ("own",), (task,), settings, 1, features=tmp_path / "features")
    predictor, tasks = bench()
    load = predictor.processor.image_processor.load
    (visual,) = tasks["own"].build(0, 2, 1).query.visuals
    assert visual.fingerprint() == load(pictures[2]).fingerprint()
    assert visual.fingerprint() != load_visual(pictures[2]).fingerprint()


def test_lmms_eval_reads_as_its_model(
    model: str, pictures: list[Path], tmp_path: Path, predictor: Predictor
) -> None:
    with installed(tmp_path), Image.open(pictures[0]) as own:
        from flamingo.evaluation.lmms_adapter import FlamingoForLmmsEval

        asking = FlamingoForLmmsEval(model, device="cpu")
        (visual,) = asking.prompts("What?", [own], None).visuals
    expected = predictor.processor.image_processor.load(pictures[0])
    assert visual.fingerprint() == expected.fingerprint()


def test_a_model_without_a_processor_is_named(model: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((Path(model) / "config.json").read_bytes())
    with pytest.raises(CheckpointError, match=r"The processor of the model .* cannot be loaded"):
        Loading().processor(tmp_path)
