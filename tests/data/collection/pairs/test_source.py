from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.data.collection.images import load_image
from flamingo.data.collection.made_samples import MadeSample
from flamingo.data.collection.pages import ImageNode, Outcome, Page, Removal, TextNode
from flamingo.data.collection.pairs import (
    PairSettings,
    PairSource,
    frequent_texts,
    pairs_of_page,
    text_hash,
    texts_of_page,
)
from flamingo.data.datasets import ShardWriter
from flamingo.foundation.errors import ConfigError
from tests.data.datasets.datasets_for_tests import rows, source, tar_bytes

from .pairs_for_tests import caption, fields_of, made, parted, photo, write_photos


def write_table(folder: Path, count: int, name: str = "captions.tsv") -> Path:
    write_photos(folder / "images", count)
    text = "".join(f"images/{n}.png\t{caption(n)}\n" for n in range(count))
    (folder / name).write_text("file\tcaption\n" + text)
    return folder / name


def test_a_training_reads_what_was_made_of_a_table(tmp_path: Path) -> None:
    samples, refused = made(write_table(tmp_path, 7))
    assert not refused
    assert len({one.key for one in samples}) == 7
    assert fields_of(samples[3]) == {
        "text": caption(3),
        "source": "captions.tsv",
        "row": 3,
        "path": "images/3.png",
        "original_width": 96,
        "original_height": 80,
    }
    with ShardWriter(tmp_path / "out" / "pairs", samples_per_shard=4) as writer:
        for one in samples:
            writer.write(one.key, one.members)
    read = source("pairs", f"{tmp_path}/out/pairs-*.tar", batch=7, shuffle=False)
    drawn = read.batch(0)
    assert not drawn.skipped
    for number, row in enumerate(rows(drawn)):
        assert row["text"] == f"<|endoftext|><image>{caption(number)}<EOC><|endoftext|>"
        red = np.array(row["frames"]).reshape(3, 8, 8)[0]
        assert abs(red[4, 4] * 255 - 20 * number) < 5


def test_the_same_input_gives_the_same_bytes_in_any_pieces(tmp_path: Path) -> None:
    table = write_table(tmp_path, 5)
    assert made(table, size=1) == made(table, size=5)


def test_sources_travel_to_other_processes(tmp_path: Path) -> None:
    opened = PairSource.open(str(write_table(tmp_path, 3)), PairSettings())
    [piece] = opened.pieces(10)
    copied, copy = pickle.loads(pickle.dumps((opened, piece)))
    assert list(copied.samples(copy)) == list(opened.samples(piece))


def test_what_makes_no_pair_is_named(tmp_path: Path) -> None:
    write_photos(tmp_path, 1)
    (tmp_path / "thin.png").write_bytes(photo(1, (400, 80)))
    (tmp_path / "small.png").write_bytes(photo(1, (63, 80)))
    (tmp_path / "broken.png").write_bytes(photo(1)[:100])
    (tmp_path.parent / "secret.png").write_bytes(photo(2))
    names = ["0", "thin", "small", "broken", "gone", "../secret"]
    lines = [json.dumps({"image": f"{name}.png", "text": caption(1)}) for name in names]
    lines.append(json.dumps({"image": "0.png", "text": "dog"}))
    lines.append(json.dumps({"image": "http://a/b.png", "text": caption(2)}))
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    samples, refused = made(tmp_path / "a.jsonl")
    assert len(samples) == 1
    reasons = [(one.step, one.reason, one.example) for one in refused]
    assert reasons[:2] == [
        ("image", "aspect ratio 5.0, at most 3", "thin.png"),
        ("image", "63x80 pixels, no side below 64", "small.png"),
    ]
    assert reasons[2][0] == "image"
    assert [one[1] for one in reasons[3:]] == [
        "it is not here, or too large",
        "it is not here, or too large",
        "1 words, at least 3",
        "it is not here, or too large",
    ]


def test_images_may_be_elsewhere(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 2)
    whole = tmp_path / "photos" / "1.png"
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "a.csv").write_text(f"file,text\n0.png,{caption(0)}\n{whole},{caption(1)}\n")
    samples, refused = made(tmp_path / "t" / "a.csv", images=str(tmp_path / "photos"))
    assert len(samples) == 2
    assert not refused


class Shelf:
    """Holds the file of one URL."""

    def find(self, page_address: str, image_address: str) -> bytes | None:
        return photo(5) if image_address == "http://a/5.png" else None


def test_urls_are_looked_up_where_they_were_fetched_to(tmp_path: Path) -> None:
    text = f"url,text\nhttp://a/5.png,{caption(5)}\nhttp://a/6.png,{caption(6)}\n"
    (tmp_path / "a.csv").write_text(text)
    opened = PairSource.open(str(tmp_path / "a.csv"), PairSettings(), finder=Shelf())
    samples, refused = parted(opened.samples(opened.pieces(9)[0]))
    assert [fields_of(one)["url"] for one in samples] == ["http://a/5.png"]
    assert "path" not in fields_of(samples[0])
    assert [one.example for one in refused] == ["http://a/6.png"]


def test_an_image_with_several_captions(tmp_path: Path) -> None:
    write_photos(tmp_path, 1)
    texts = [caption(1), "dog", caption(2), caption(1)]
    (tmp_path / "a.jsonl").write_text(json.dumps({"image": "0.png", "captions": texts}))
    samples, refused = made(tmp_path / "a.jsonl")
    assert [one.text for one in samples] == [caption(1), caption(2)]
    assert [one.key[-2:] for one in samples] == ["-0", "-1"]
    assert [one.reason for one in refused] == [
        "1 words, at least 3",
        "the same image has the same text already",
    ]
    drawn = {made(tmp_path / "a.jsonl", captions="one", seed=seed)[0][0].text for seed in range(12)}
    assert drawn == {caption(1), caption(2)}


def test_frequent_texts_are_dropped_in_a_second_pass(tmp_path: Path) -> None:
    write_photos(tmp_path, 1)
    texts = ["A lovely day out"] * 3 + ["a lovely: day OUT!", caption(1), caption(1)]
    rows_ = [json.dumps({"image": "0.png", "text": text}) for text in texts]
    (tmp_path / "a.jsonl").write_text("\n".join(rows_))
    opened = PairSource.open(str(tmp_path / "a.jsonl"), PairSettings(max_same_text=3))
    pieces = opened.pieces(2)
    frequent = frequent_texts(map(opened.count_texts, pieces), opened.settings.max_same_text)
    assert frequent == {text_hash("a lovely day out")}
    second = opened.without(frequent)
    samples, refused = parted(one for piece in pieces for one in second.samples(piece))
    assert [one.text for one in samples] == [caption(1), caption(1)]
    assert [one.step for one in refused] == ["frequent"] * 4
    assert refused[0].reason == "more than 3 images have this text"


class NoRed:
    """A step that takes an image whose first pixel has no red."""

    name, source, needs_pixels = "no-red", "these tests", True

    def __call__(self, page: Page) -> Outcome:
        [node] = page.images
        assert node.image is not None
        if node.image.thumbnail[0, 0, 0] > 10:
            return Outcome(page)
        return Outcome(None, (Removal("page", "no red", page.address),))


def test_steps_of_pages_look_at_pairs_too(tmp_path: Path) -> None:
    write_photos(tmp_path, 1)
    (tmp_path / "9.png").write_bytes(photo(9))
    (tmp_path / "a.csv").write_text(f"file,text\n0.png,{caption(0)}\n9.png,{caption(1)}\n")
    opened = PairSource.open(str(tmp_path / "a.csv"), PairSettings(), steps=[NoRed()])
    samples, refused = parted(opened.samples(opened.pieces(9)[0]))
    assert [one.text for one in samples] == [caption(1)]
    assert [(one.step, one.reason) for one in refused] == [("no-red", "no red")]


def test_tars_are_written_anew(tmp_path: Path) -> None:
    members = {}
    for number in range(3):
        members[f"{number:03d}.jpg"] = photo(number, (900, 800), "JPEG")
        members[f"{number:03d}.txt"] = caption(number).encode()
    (tmp_path / "00000.tar").write_bytes(tar_bytes(members))
    samples, _ = made(tmp_path)
    assert [one.text for one in samples] == [caption(number) for number in range(3)]
    assert all(one.image is not None and one.image.width == 512 for one in samples)
    assert fields_of(samples[1])["path"] == "001"


def read(number: int) -> ImageNode:
    image = load_image(photo(number))
    assert not isinstance(image, str)
    return ImageNode(f"http://a/{number}.png", alt=caption(number), image=image)


def page(*nodes: ImageNode | TextNode) -> Page:
    return Page("http://a/page", "Dogs", nodes, license="CC0", language="en", date="2021-05-01")


def test_pairs_of_a_page() -> None:
    unread = ImageNode("http://a/9.png", alt=caption(9))
    bare = ImageNode("http://a/8.png", alt="image")
    whole = page(TextNode("A text that is no caption"), read(1), unread, bare, read(2))
    samples, refused = parted(pairs_of_page(whole, "page7", PairSettings()))
    assert [one.key for one in samples] == ["page7-0000", "page7-0003"]
    assert fields_of(samples[0]) == {
        "text": caption(1),
        "url": "http://a/1.png",
        "page": "http://a/page",
        "license": "CC0",
        "language": "en",
        "date": "2021-05-01",
        "original_width": 96,
        "original_height": 80,
    }
    assert [(one.step, one.reason) for one in refused] == [
        ("image", "it was not read"),
        ("words", "1 words, at least 3"),
    ]


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ("alt", [caption(1)]),
        ("caption", ["A hound in full flight"]),
        ("either", [caption(1)]),
        ("both", [caption(1), "A hound in full flight"]),
    ],
)
def test_alternative_texts_and_captions(which: str, expected: list[str]) -> None:
    below = TextNode("A hound in full flight", "caption")
    settings = PairSettings(page_texts=which)  # type: ignore[arg-type]
    for nodes in ((read(1), below), (below, read(1))):
        samples, _ = parted(pairs_of_page(page(*nodes), "a", settings))
        assert [one.text for one in samples] == expected
        assert list(texts_of_page(page(*nodes), settings)) == expected


def test_a_caption_stands_in_for_a_bare_alternative_text() -> None:
    node = read(1)
    nodes = (
        ImageNode(node.address, "logo", image=node.image),
        TextNode("A dog in flight", "caption"),
    )
    settings = PairSettings(page_texts="either")
    samples, refused = parted(pairs_of_page(page(*nodes), "a", settings))
    assert [one.text for one in samples] == ["A dog in flight"]
    assert [one.step for one in refused] == ["words"]


@given(st.integers(0, 400), st.integers(0, 400), st.binary(max_size=8))
def test_cut_and_overwritten_images_are_refused_or_read(cut: int, at: int, junk: bytes) -> None:
    content = bytearray(photo(1, (64, 64), "JPEG"))
    content[at : at + len(junk)] = junk
    found = load_image(bytes(content[: len(content) - cut]))
    assert isinstance(found, str) or found.width == 64 or found.height > 0


def test_pieces_have_a_size(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="pieces of 0 records"):
        PairSource.open(str(write_table(tmp_path, 1)), PairSettings()).pieces(0)


def test_samples_say_little_about_their_bytes(tmp_path: Path) -> None:
    [sample] = made(write_table(tmp_path, 1))[0]
    assert isinstance(sample, MadeSample)
    assert len(repr(sample)) < 600
