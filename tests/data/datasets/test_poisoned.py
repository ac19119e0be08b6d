"""Every fault that files of the world have: the batches go on, and each is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flamingo.data.datasets import DatasetSource
from tests.data.media_for_tests import jpeg_bytes, write_video
from tests.data.test_files import png_header

from .datasets_for_tests import as_json, picture, source, tar_bytes, texts, write_tar

JPEG = jpeg_bytes()
NUM_SOUND = 12


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("video") / "a.mp4"
    return write_video(path, range(0, 240, 10), fps=8).read_bytes()


def poisoned_pairs(ending: str, sound: bytes) -> dict[str, dict[str, bytes]]:
    """Pairs by key; the names of the faulty ones say what is wrong."""
    good = {f"good{n:02d}": {ending: sound, "txt": b"cat %d" % n} for n in range(NUM_SOUND)}
    text = b"never to be seen"
    return {
        **good,
        "truncated": {ending: sound[: len(sound) // 2], "txt": text},
        "few-bytes": {ending: sound[:20], "txt": text},
        "no-text": {ending: sound, "txt": b""},
        "blank-text": {ending: sound, "txt": b" \n "},
        "zero-bytes": {ending: b"", "txt": text},
        "latin-1": {ending: sound, "txt": "cafés".encode("latin-1")},
        "tag-in-text": {ending: sound, "txt": b"never <image> to be seen"},
        "text-only": {"txt": text},
        "media-only": {ending: sound},
        "no-media": {ending: b"<html>not found</html>", "txt": text},
        "bad-json": {ending: sound, "json": b"{never"},
    }


PAIR_REASONS = {
    "truncated": "cannot be decoded",
    "few-bytes": "cannot be decoded",
    "no-text": "txt is empty",
    "blank-text": "txt is empty",
    "zero-bytes": "the file is empty",
    "latin-1": "txt is not UTF-8: byte 0xe9 at position 3",
    "tag-in-text": "contains the tag <image>",
    "text-only": "nothing to look at",
    "media-only": "it has no text",
    "no-media": "neither a picture nor a video",
    "bad-json": "json is no JSON",
}


def page(number: int, **changes: Any) -> dict[str, bytes]:
    fields = {"text": f"cat {number}<image>", "images": ["0.png"], **changes}
    return {"json": as_json(**fields), "0.png": picture(number)}


POISONED_PAGES = {
    **{f"good{number:02d}": page(number) for number in range(NUM_SOUND)},
    "few-images": page(0, text="never<image><image>"),
    "many-images": page(0, text="never", images=["0.png"]),
    "lost-image": page(0, images=["1.png"]),
    "bomb": {**page(0), "0.png": png_header(10_000, 6_000)},
    "zero-bytes": {**page(0), "0.png": b""},
    "no-json": {"json": b"", "0.png": picture(0)},
    "no-text": page(0, text="<image>"),
    "surrogate": page(0, text="never \ud800<image>"),
    "lists": page(0, texts=["never"], images=["0.png"]),
}
PAGE_REASONS = {
    "few-images": "the text has 2 <image> tags but 1 visual was given.",
    "many-images": "the text has 0 <image> tags but 1 visual was given.",
    "lost-image": "there is no member 1.png",
    "bomb": "10000x6000 = 60,000,000 pixels are more than the limit",
    "zero-bytes": "0.png: the file is empty",
    "no-json": "json is empty",
    "no-text": "the page has no text",
    "surrogate": "half of a surrogate pair",
    "lists": "has both a text and an image",
}


def as_tar(samples: dict[str, dict[str, bytes]], folder: Path) -> Path:
    names = {
        f"{key}.{ending}": c for key, members in samples.items() for ending, c in members.items()
    }
    return write_tar(folder / "data.tar", names)


def as_folder(samples: dict[str, dict[str, bytes]], folder: Path) -> Path:
    for key, members in samples.items():
        for ending, content in members.items():
            (folder / "data").mkdir(exist_ok=True)
            (folder / "data" / f"{key}.{ending}").write_bytes(content)
    return folder / "data"


def check_epochs(data: DatasetSource, reasons: dict[str, str], num_epochs: int = 2) -> None:
    """Good samples all come, broken ones are all named, with their own reason, and never come."""
    steps_per_epoch = data.num_samples // data.size
    assert data.num_samples % data.size == 0
    for epoch in range(num_epochs):
        drawn = [data.batch(epoch * steps_per_epoch + step) for step in range(steps_per_epoch)]
        found = [text for batch in drawn for text in texts(batch)]
        assert len(found) == data.num_samples
        assert set(found) == {f"cat {number}" for number in range(NUM_SOUND)}
        named = [skipped for batch in drawn for skipped in batch.skipped]
        count = Counter(one.sample.replace(": ", "/").rpartition("/")[2] for one in named)
        assert set(count) == set(reasons)
        for one in named:
            key = one.sample.replace(": ", "/").rpartition("/")[2]
            assert reasons[key] in one.reason, one
            assert "\n" not in one.reason


def num_attempts(data: DatasetSource, step: int) -> int:
    """How many samples a batch has asked for."""
    asked: list[int] = []
    real: Callable[[int, int], int] = data._number

    def watched(n: int, attempt: int) -> int:
        asked.append(n)
        return real(n, attempt)

    object.__setattr__(data, "_number", watched)
    drawn = data.batch(step)
    object.__delattr__(data, "_number")
    assert len(asked) == len(drawn.batch.input_ids) + len(drawn.skipped)
    return len(asked)


@pytest.mark.parametrize("write", [as_tar, as_folder])
@pytest.mark.parametrize("kind", ["pairs", "videos"])
def test_pairs_and_videos(tmp_path: Path, video: bytes, kind: str, write: Any) -> None:
    ending, sound = ("jpg", JPEG) if kind == "pairs" else ("mp4", video)
    data = source(kind, write(poisoned_pairs(ending, sound), tmp_path), batch=1, num_frames=2)
    check_epochs(data, PAIR_REASONS)


@pytest.mark.parametrize("write", [as_tar, as_folder])
def test_pages(tmp_path: Path, write: Any) -> None:
    path = write(POISONED_PAGES, tmp_path)
    reasons = dict(PAGE_REASONS)
    if write is as_folder:
        reasons["lost-image"] = "there is no file 1.png"
    check_epochs(source("pages", path, batch=3), reasons)


def test_each_occurrence_is_named_once(tmp_path: Path) -> None:
    data = source("pages", as_tar(POISONED_PAGES, tmp_path), batch=7)
    assert sum(num_attempts(data, step) for step in range(9)) > 9 * 7


def test_lines(tmp_path: Path) -> None:
    (tmp_path / "sound.png").write_bytes(picture(9))
    lines = [as_json(image="sound.png", text=f"cat {n}") for n in range(NUM_SOUND)]
    faults = {
        b"": "json is empty",
        b"{": "json is no JSON",
        b'"text"': "json holds a str",
        b'{"text": "caf\xe9", "image": "sound.png"}': "not UTF-8",
        as_json(image="lost.png", text="never"): "there is no file lost.png",
        as_json(image="https://example.org/a.png", text="never"): "is an address",
        as_json(image="../" * 40 + "dev/zero", text="never"): "not a regular file",
        as_json(text="never"): "nothing to look at",
    }
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\n".join([*faults, *lines]))
    reasons = {f"data.jsonl, line {n}": reason for n, reason in enumerate(faults.values(), 1)}
    check_epochs(source("pairs", path, batch=4), reasons)


def test_a_tar_cut_in_the_middle(tmp_path: Path) -> None:
    members = {f"{n:02d}.txt": b"cat %d" % n for n in range(NUM_SOUND)}
    content = tar_bytes({**members, "cut.txt": b"never" * 999, "lost.txt": b"never"})
    (tmp_path / "a.tar").write_bytes(content[: content.index(b"never") + 700])
    reasons = {"cut": "the shard ends at byte 13,500, in the middle of cut.txt"}
    check_epochs(source("text", tmp_path / "a.tar", batch=1), reasons)


def test_samples_of_one_key(tmp_path: Path) -> None:
    members = [(f"{n:02d}.txt", b"cat %d" % n) for n in range(NUM_SOUND)]
    twice = [("a.txt", b"never"), ("a.txt", b"never"), ("00.txt", b"never")]
    path = write_tar(tmp_path / "a.tar", [*members, *twice])
    reasons = {"a": "two members txt", "00": "its key stands earlier"}
    check_epochs(source("text", path, batch=7), reasons)
