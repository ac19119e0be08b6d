"""The programs of `examples/serving` run against a server, and what they print is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from tests.house.examples import example
from tests.serving.api.running import Running


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two made-up words, three pictures each."""
    draw = example("serving/openai_client").picture
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "notes.txt").write_text("no picture")
    for number, (x, y) in enumerate(((28, 30), (36, 34), (32, 30)), start=1):
        draw("red", "square", x, y).save(folder / f"dax-{number}.png")
        draw("blue", "circle", x, y).save(folder / f"blicket-{number}.png")
    return folder


def test_the_openai_client_does_all_that_it_shows(
    server: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    example("serving/openai_client").main(["--url", f"{server.url}/v1"])
    said = capsys.readouterr().out
    assert "a red circle: red circle\n" in said
    assert "a blue square, streamed: blue| square\n" in said
    known = re.search(r"by example: blue square \((\d+) tokens of the prompt were known\)", said)
    assert known
    assert int(known[1]) > 0
    assert re.search(r"a clip of a purple circle: the purple circle moves (left|right)", said)
    assert len(re.findall(r"the likeliest: \['.*', '.*', '.*'\]", said)) >= 1
    assert "a damaged picture: messages[0].content[0].image_url: " in said


def test_the_few_shot_client_teaches_words_and_reads_the_answer(
    server: Running, pictures: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    query = tmp_path / "new.png"
    example("serving/openai_client").picture("red", "square", 34, 36).save(query)
    example("serving/few_shot_client").main([str(pictures), str(query), "--url", server.url])
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("words: 6 supports, set-")
    assert said[1] == "new.png: dax"
    assert [line.split()[-1] for line in said[2:4]] == ["dax", "blicket"]
    effects = [line.split() for line in said[5:11]]
    assert [word for _, word in effects] == ["blicket", "dax"] * 3
    assert all(re.fullmatch(r"[+-]\d+\.\d\d", effect) for effect, _ in effects)
    shown = said[12:]
    assert len(shown) == len(shown[0].split()) > 1
    assert any("#" in row for row in shown)


def test_the_few_shot_client_says_what_the_server_refuses(server: Running, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "dax.png").write_bytes(b"no picture")
    query = tmp_path / "new.png"
    Image.new("RGB", (8, 8)).save(query)
    with pytest.raises(SystemExit, match=r"^400: .*neither a picture nor a video"):
        example("serving/few_shot_client").main([str(folder), str(query), "--url", server.url])


def test_the_few_shot_client_looks_at_the_query_before_it_replaces_a_set(
    server: Running, pictures: Path, tmp_path: Path
) -> None:
    main = example("serving/few_shot_client").main
    good, damaged = tmp_path / "good.png", tmp_path / "damaged.png"
    Image.new("RGB", (64, 64)).save(good)
    damaged.write_bytes(good.read_bytes()[:60])
    asked = ["--url", server.url, "--name", "kept"]
    main([str(pictures), str(good), *asked])
    [before] = [kept.id for kept in server.service.support_sets.list("") if kept.name == "kept"]
    (pictures / "dax-1.png").unlink()
    for query, why in (
        (damaged, "^400: "),
        (tmp_path / "missing.png", "missing.png cannot be read: No such file"),
        (pictures / "notes.txt", "notes.txt is not named as an image or a clip is"),
        (pictures, "is not named as an image or a clip is"),
    ):
        with pytest.raises(SystemExit, match=why):
            main([str(pictures), str(query), *asked])
        after = [kept.id for kept in server.service.support_sets.list("") if kept.name == "kept"]
        assert after == [before]


def test_the_few_shot_client_says_that_a_folder_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="nowhere is no folder"):
        example("serving/few_shot_client").main([str(tmp_path / "nowhere"), "new.png"])


def test_the_few_shot_client_needs_pictures_and_a_server(tmp_path: Path) -> None:
    main = example("serving/few_shot_client").main
    with pytest.raises(SystemExit, match="has no image or clip"):
        main([str(tmp_path), "new.png"])
    query = tmp_path / "dax.png"
    Image.new("RGB", (8, 8)).save(query)
    with pytest.raises(SystemExit, match="does not answer"):
        main([str(tmp_path), str(query), "--url", "http://127.0.0.1:9"])
