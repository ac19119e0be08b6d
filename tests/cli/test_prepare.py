"""`flamingo prepare`: pages in, documents out, as a user asks for it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flamingo.cli.main import main
from flamingo.data.datasets import open_store

WORDS = (
    "The {thing} stands on a hill that is not far from the sea and it can be seen from the town "
    "below. People who come to look at it in the spring have to walk for an hour, with a break "
    "at the old well number {number}, where the water of the mountain is kept for those that are "
    "thirsty after the climb. Nobody knows who built it or what it was for in those days. "
)


def photo(seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (9, 12, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((240, 180), Image.Resampling.BICUBIC)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Pages with an image of their own each, an icon on all, one without and one in French."""
    folder = tmp_path / "site"
    (folder / "img").mkdir(parents=True)
    Image.new("RGB", (16, 16), "red").save(folder / "img" / "icon.png")
    things = ("castle", "lighthouse", "windmill", "chapel", "bridge", "tower")
    for number, thing in enumerate(things):
        photo(number).save(folder / "img" / f"{thing}.jpg")
        text = WORDS.format(thing=thing, number=number)
        (folder / f"{thing}.html").write_text(
            f"<html lang=en><head><title>The {thing}</title></head><body>"
            f"<nav><a href=/><img src=img/icon.png></a></nav><h1>The {thing}</h1><p>{text}</p>"
            f"<img src='img/{thing}.jpg' alt='a {thing}'><p>This {thing} is painted often by "
            f"those who visit the {number} villages around it.</p></body></html>"
        )
    (folder / "empty.html").write_text(f"<html lang=en><body><p>{WORDS}</p></body></html>")
    french = "Le château est sur la colline et la mer est tout près du village ancien. " * 5
    photo(77).save(folder / "img" / "chateau.jpg")
    (folder / "french.html").write_text(
        f"<html lang=fr><body><p>{french}</p><img src=img/chateau.jpg></body></html>"
    )
    return folder


def test_pages_become_documents(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = ["prepare", "pages", f"source={site}", "samples_per_shard=4", "--out", str(out)]
    assert main([*command, "--processes", "1"]) == 0
    printed = capsys.readouterr().out
    assert "8 pages read" in printed
    assert "6 samples with 6 visuals" in printed
    assert "language fr" in printed
    store = open_store(str(out / "shard-*.tar"), endings=())
    documents = [json.loads(store[number].read("json")) for number in range(len(store))]
    assert sorted(one["url"] for one in documents) == [
        f"{thing}.html"
        for thing in ("bridge", "castle", "chapel", "lighthouse", "tower", "windmill")
    ]
    one = documents[0]
    assert one["texts"][0] == "The bridge"
    assert [name for name in one["images"] if name] == ["000.jpg"]
    assert one["image_details"][0]["alt"] == "a bridge"
    assert one["texts"][-1].startswith("This bridge is painted")
    # Once more: what is done is done.
    assert main([*command, "--processes", "1"]) == 0
    assert "6 samples" in capsys.readouterr().out


def test_images_of_pages_become_pairs_with_their_alternative_texts(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bench").mkdir()
    photo(2).save(tmp_path / "bench" / "windmill.png")
    out = tmp_path / "out"
    command = ["prepare", "alt-texts", f"source={site}", "pairs.min_words=2", "--out", str(out)]
    assert main([*command, f"benchmarks={tmp_path / 'bench'}", "--processes", "1"]) == 0
    printed = capsys.readouterr().out
    assert "bench: 1 images" in printed
    store = open_store(str(out / "shard-*.tar"), endings=("jpg",))
    texts = sorted(json.loads(store[n].read("json"))["text"] for n in range(len(store)))
    things = ("bridge", "castle", "chapel", "lighthouse", "tower")
    assert texts == [f"a {thing}" for thing in things]


def test_a_preview_shows_what_stays_and_what_goes(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["prepare", "pages", f"source={site}", "--out", str(tmp_path / "look")]
    assert main([*command, "--preview", "6"]) == 0
    assert "6 documents kept" in capsys.readouterr().out
    html = (tmp_path / "look" / "preview.html").read_text()
    assert "language fr" in html
    assert html.count("data:image/png;base64") == 6
    assert "http" not in html.replace("http-equiv", "")


def test_a_recipe_file_changes_what_it_says(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(
        f"recipe: pages\nsource: {site}\n"
        "steps: [language, {image-size: {min_side: 100}}, number-of-images]\n"
        "changes: {language: {languages: [en, fr]}}\nimages: {longest_side: 64}\n"
    )
    out = str(tmp_path / "out")
    assert main(["prepare", str(recipe), "--out", out, "--processes", "1"]) == 0
    assert "text-quality" not in capsys.readouterr().out
    store = open_store(f"{out}/shard-*.tar", endings=())
    urls = {json.loads(store[n].read("json"))["url"] for n in range(len(store))}
    assert "french.html" in urls


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["pages", "--out", "OUT"], "input is not named"),
        (["pages", "source=nowhere", "--out", "OUT"], "no file or folder nowhere"),
        (["page", "--out", "OUT"], "no recipe 'page'"),
        (["pages", "source=SITE"], "--out DIR"),
        (["pages", "source=SITE", "steps=flamingos", "--out", "OUT"], "no profile 'flamingos'"),
        (["pages", "source=SITE", "images.fetch=true", "--out", "OUT"], "images.contact"),
        (["clips", "source=SITE", "--out", "OUT", "--preview", "2"], ""),
        (["pages", "source=SITE", "--out", "OUT", "--processes", "0"], "processes is 0"),
    ],
)
def test_what_is_wrong_is_told(
    words: list[str], told: str, site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"OUT": str(tmp_path / "out"), "SITE": str(site)}
    for name, place in places.items():
        words = [word.replace(name, place) for word in words]
    assert main(["prepare", *words]) == 2
    assert told in capsys.readouterr().err


def test_every_setting_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "obelics", "--print-config"]) == 0
    printed = capsys.readouterr().out
    assert "reading: obelics" in printed
    assert "max_pages_of_image" in printed
