"""`flamingo prompt`: answers, and the errors that a user can cause."""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flamingo.cli.main import main
from tests.data.media_for_tests import write_empty_video
from tests.tiny_predictor import tiny_predictor


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    predictor = tiny_predictor()
    predictor.model.save_pretrained(folder, full=True)
    predictor.processor.save_pretrained(folder)
    return str(folder)


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    names = []
    for seed in range(3):
        pixels = np.random.default_rng(seed).integers(0, 255, (24, 32, 3), dtype=np.uint8)
        names.append(str(tmp_path / f"{seed}.png"))
        Image.fromarray(pixels).save(names[-1])
    return names


def _shots(pictures: list[str]) -> list[str]:
    return ["--support", pictures[0], "red circle", "--support", pictures[1], "blue star"]


def test_an_open_answer(
    model: str, pictures: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["prompt", "--model", model, *_shots(pictures), "--query", pictures[2]]
    assert main([*line, "--max-new-tokens", "4"]) == 0
    assert "log-likelihood -" in capsys.readouterr().out


def test_choices_as_json(
    model: str, pictures: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["prompt", "--model", model, *_shots(pictures), "--query", pictures[2], "--json"]
    assert main([*line, "--choices", "red", "blue"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer["choices"]) == {"red", "blue"}
    assert answer["score"] == max(answer["choices"].values())


def test_json_lines_in_and_out(model: str, pictures: list[str], tmp_path: Path) -> None:
    first = {
        "supports": [{"visual": "0.png", "output": "red circle"}],
        "query": {"visual": "2.png"},
        "choices": ["red circle", "blue star"],
    }
    second = {
        "supports": [{"visual": "0.png", "question": "what color?", "answer": "red"}],
        "query": {"visual": "1.png", "question": "what shape?"},
    }
    (tmp_path / "in.jsonl").write_text(f"{json.dumps(first)}\n\n{json.dumps(second)}\n")
    line = ["prompt", "--model", model, "--jsonl", str(tmp_path / "in.jsonl")]
    assert main([*line, "--out", str(tmp_path / "out.jsonl"), "--max-new-tokens", "3"]) == 0
    answers = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [("choices" in answer) for answer in answers] == [True, False]


@pytest.mark.parametrize("more", [["--max-new-tokens", "2"], ["--choices", "red", "blue"]])
def test_a_prompt_as_text_keeps_what_it_saw(
    more: list[str],
    model: str,
    pictures: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen = tmp_path / "seen"
    line = ["prompt", "--model", model, "--text", "<image>It says:", "--visual", pictures[0], *more]
    assert main(line) == 0
    without = capsys.readouterr().out
    for _ in range(2):
        assert main([*line, "--visual-cache", str(seen)]) == 0
        assert capsys.readouterr().out == without
        assert len([*seen.rglob("*.safetensors")]) == 1


def _bomb(path: Path) -> None:
    """A PNG of a few bytes whose header says 30,000 x 30,000."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def _truncated_jpeg(path: Path) -> None:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "jpeg")
    path.write_bytes(buffer.getvalue()[:600])


@pytest.mark.parametrize(
    ("make", "name", "expected"),
    [
        (None, "nowhere.png", "nowhere.png"),
        (_truncated_jpeg, "half.jpg", "half.jpg"),
        (write_empty_video, "empty.mkv", "the video has 0 frames"),
        (_bomb, "bomb.png", "30000"),
    ],
)
def test_a_wrong_file_is_named(
    make: object, name: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    if callable(make):
        make(path)
    assert main(["prompt", "--query", str(path)]) == 2
    message = capsys.readouterr().err
    assert message.startswith("MediaError: ")
    assert expected in message.replace(",", "")
    assert "Traceback" not in message


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--text", "<image>a<image>b", "--visual", "0.png"], "2 <image> tags but 1 visual"),
        (["--query", "0.png", "--model", "miniatur"], "Did you mean 'miniature'"),
        (["--query", "0.png", "--template", "captoin"], "caption"),
        (["--query", "0.png", "--video"], "--video asks for a video"),
        (["--jsonl", "none.jsonl"], "There is no file none.jsonl"),
        (["--query", "0.png", "--choices", "a", "a"], "A choice is given twice"),
        (["--query", "0.png", "--out", "."], "--out is ., a folder, but must be a file"),
        (["--query", "0.png", "--out", "no/a.jsonl"], "There is no folder no to write a.jsonl"),
        (["--query", "0.png", "--visual-cache", "1.png"], "1.png is a file, but visual tokens are"),
    ],
)
def test_a_wrong_request_is_explained(
    arguments: list[str],
    expected: str,
    pictures: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["prompt", *arguments]) == 2
    assert expected in capsys.readouterr().err


def test_a_broken_line_is_numbered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.jsonl").write_text('{"query": \n')
    assert main(["prompt", "--jsonl", str(tmp_path / "in.jsonl")]) == 2
    assert "Line 1 of" in capsys.readouterr().err
