from __future__ import annotations

import json
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from flamingo.data.collection.clips import ClipSettings, ClipSource
from flamingo.data.collection.made_samples import MadeSample, Refused
from flamingo.data.datasets import ShardWriter
from flamingo.data.files import load_visual
from flamingo.foundation.errors import DataError
from tests.data.collection.clips.test_decoding import sound
from tests.data.datasets.datasets_for_tests import rows, source, tar_bytes
from tests.data.media_for_tests import write_video

SECONDS = 60
GRAYS = [4 * second for second in range(SECONDS) for _ in range(4)]
"""A minute at 4 frames per second; the gray tells the second."""
SENTENCES = [f"Now we cut slice number {number} of the bread." for number in range(12)]


def made(
    path: Path | str, size: int = 2, **settings: Any
) -> tuple[list[MadeSample], list[Refused]]:
    opened = ClipSource.open(str(path), ClipSettings(**settings))
    return parted(one for piece in opened.pieces(size) for one in opened.samples(piece))


def parted(found: Iterable[MadeSample | Refused]) -> tuple[list[MadeSample], list[Refused]]:
    together = list(found)
    samples = [one for one in together if isinstance(one, MadeSample)]
    return samples, [one for one in together if isinstance(one, Refused)]


def fields_of(sample: MadeSample) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(sample.members["json"])
    return fields


def vtt(*cues: tuple[int, int, str]) -> str:
    lines = [f"00:00:{start:02}.000 --> 00:00:{end:02}.000\n{text}\n" for start, end, text in cues]
    return "\n".join(["WEBVTT\n", *lines])


def cues() -> list[tuple[int, int, str]]:
    return [(5 * n, min(5 * n + 5, 59), text) for n, text in enumerate(SENTENCES)]


@pytest.fixture
def video(tmp_path: Path) -> Path:
    (tmp_path / "videos").mkdir()
    return write_video(tmp_path / "videos" / "bread.mp4", GRAYS, fps=4)


def test_a_training_reads_the_clips_of_a_long_video(tmp_path: Path, video: Path) -> None:
    video.with_suffix(".en.vtt").write_text(vtt(*cues()))
    known = {"webpage_url": "http://v/bread", "license": "CC BY", "title": "Bread"}
    video.with_suffix(".info.json").write_text(json.dumps(known))
    samples, refused = made(tmp_path / "videos")
    assert not refused
    assert [(fields_of(one)["start"], fields_of(one)["end"]) for one in samples] == [
        (0.0, 20.0),
        (20.0, 40.0),
        (40.0, 59.0),
    ]
    assert fields_of(samples[1]) == {
        "text": " ".join(SENTENCES[4:8]),
        "source": "bread.mp4",
        "url": "http://v/bread",
        "license": "CC BY",
        "title": "Bread",
        "start": 20.0,
        "end": 40.0,
        "fps": 1.0,
        "frames": 20,
    }
    with ShardWriter(tmp_path / "out" / "clips", samples_per_shard=2) as writer:
        for one in samples:
            writer.write(one.key, one.members)
    read = source("videos", f"{tmp_path}/out/clips-*.tar", batch=3, shuffle=False, max_tokens=300)
    drawn = read.batch(0)
    assert not drawn.skipped
    for number, row in enumerate(rows(drawn)):
        assert samples[number].text in row["text"]
        frames = np.array(row["frames"])
        assert frames.shape == (8, 3, 8, 8)
        seconds = frames[:, 0, 4, 4] * 255 / 4
        assert np.allclose(seconds, 20 * number + np.arange(8), atol=1)


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, video: Path) -> None:
    video.with_suffix(".srt").write_text(vtt(*cues()).replace(".000", ",000"))
    for other in ("a.mp4", "c.mp4"):
        (video.parent / other).write_bytes(video.read_bytes())
        (video.parent / other).with_suffix(".srt").write_text(vtt(*cues()))
    once, again = made(video.parent, size=1), made(video.parent, size=3)
    assert once == again
    assert len({one.key for one in once[0]}) == 9
    opened = ClipSource.open(str(video.parent), ClipSettings())
    copied = pickle.loads(pickle.dumps(opened))
    assert [piece.name for piece in copied.pieces(2)] == ["videos-000000", "videos-000001"]
    assert parted(copied.samples(copied.pieces(9)[0])) == once


def test_captions_may_be_elsewhere(tmp_path: Path, video: Path) -> None:
    (tmp_path / "captions").mkdir()
    (tmp_path / "captions" / "bread.vtt").write_text(vtt(*cues()))
    samples, _ = made(video.parent, captions=str(tmp_path / "captions"))
    columns = {
        "start": [start for start, _, _ in cues()],
        "end": [end for _, end, _ in cues()],
        "text": SENTENCES,
    }
    (tmp_path / "many.json").write_text(json.dumps({"bread": columns, "other": columns}))
    assert made(video.parent, captions=str(tmp_path / "many.json"))[0] == samples
    assert len(samples) == 3
    whisper = [{"start": s, "end": e, "text": f" {t}"} for s, e, t in cues()]
    (tmp_path / "many.json").write_text(json.dumps({"bread": {"segments": whisper}}))
    assert made(video.parent, captions=str(tmp_path / "many.json"))[0] == samples
    with pytest.raises(DataError, match="there is no folder"):
        made(video.parent, captions=str(tmp_path / "gone"))


def test_what_makes_no_clip_is_named(tmp_path: Path, video: Path) -> None:
    folder = video.parent
    (folder / "cut.mp4").write_bytes(video.read_bytes()[:300])
    (folder / "junk.mkv").write_bytes(b"no video")
    sound(folder / "sound.mp4")
    write_video(folder / "short.mp4", GRAYS[:100], fps=4)
    for name in ("cut", "junk", "sound", "short"):
        (folder / name).with_suffix(".vtt").write_text(vtt(*cues()))
    (folder / "empty.mp4").write_bytes(video.read_bytes())
    (folder / "empty.vtt").write_text("WEBVTT")
    (folder / "silent.mp4").write_bytes(video.read_bytes())
    (folder / "silent.vtt").write_text(vtt((0, 20, "[Music]")))
    samples, refused = made(folder)
    assert [fields_of(one)["source"] for one in samples] == ["short.mp4"]
    found = {(one.example, one.step): one.reason for one in refused}
    assert found[("bread.mp4", "captions")] == "there are no captions of this name"
    assert found[("empty.mp4", "captions")] == "empty.vtt has no captions with times."
    assert found[("silent.mp4", "captions")] == "nothing of them makes a clip"
    assert found[("cut.mp4", "video")].startswith("3 of 3 clips are lost: the video cannot be")
    assert found[("junk.mkv", "video")].startswith("3 of 3 clips are lost: this is no video")
    assert found[("sound.mp4", "video")].startswith("3 of 3 clips are lost: the file has no video")
    assert found[("short.mp4, from 20.0 s", "video")] == "it ends: 5 of 20 frames are there"
    assert found[("short.mp4, from 40.0 s", "video")] == "it ends: 0 of 19 frames are there"


def test_a_clip_whose_video_ends_is_as_long_as_that(video: Path) -> None:
    write_video(video, GRAYS[:136], fps=4)
    video.with_suffix(".vtt").write_text(vtt(*cues()))
    samples, _ = made(video)
    assert [(fields_of(one)["end"], fields_of(one)["frames"]) for one in samples] == [
        (20.0, 20),
        (34.0, 14),
    ]


def test_texts_that_say_little_make_no_clip(video: Path) -> None:
    video.with_suffix(".vtt").write_text(
        vtt(
            (0, 20, "thank you " * 30),
            (25, 40, "Die Katze und der Hund sind in dem Haus"),
            (45, 55, "Yes."),
        )
    )
    samples, refused = made(video)
    assert not samples
    assert [(one.step, one.reason) for one in refused] == [
        ("repetition", "2 of 60 words differ, at least 25%"),
        ("language", "3 of its words are de, 1 en"),
        ("words", "1 words, at least 5"),
    ]


def test_videos_with_one_caption_each(tmp_path: Path, video: Path) -> None:
    video.with_suffix(".txt").write_text("Somebody cuts a loaf\nof bread.\n")
    [sample], _ = made(video.parent)
    assert sample.text == "Somebody cuts a loaf of bread."
    assert fields_of(sample)["end"] == 60.0
    assert load_visual(sample.members["mp4"], max_frames=100).num_frames == 60
    video.with_suffix(".txt").unlink()
    video.with_suffix(".json").write_text('{"text": "Somebody cuts a loaf of bread."}')
    assert made(video.parent)[0] == [sample]
    samples, [refused] = made(video.parent, max_whole_seconds=59.0)
    assert not samples
    assert refused.reason == "more than 59 s with one caption"
    [fine], _ = made(video.parent, fps=0.5, longest_side=16)
    small = load_visual(fine.members["mp4"], fps=0.5, max_frames=100)
    assert (small.num_frames, small.width, small.height) == (30, 16, 12)


def test_tables_of_videos(tmp_path: Path, video: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "video,caption,start,end,license\n"
        "videos/bread.mp4,Somebody cuts a loaf of bread,30,42.5,CC0\n"
        "videos/bread.mp4,Somebody looks at a loaf,10,20,CC0\n"
        "videos/bread.mp4,Somebody stands in the kitchen,,,CC0\n"
        "videos/bread.mp4,Somebody leaves the dark room,20,10,CC0\n"
        "videos/gone.mp4,Somebody cuts a loaf of bread,,,\n"
        "../bread.mp4,Somebody cuts a loaf of bread,,,\n"
    )
    (tmp_path.parent / "bread.mp4").write_bytes(video.read_bytes())
    samples, refused = made(tmp_path / "a.csv", size=10)
    assert [(one.text, fields_of(one)["start"], fields_of(one)["frames"]) for one in samples] == [
        ("Somebody cuts a loaf of bread", 30.0, 13),
        ("Somebody looks at a loaf", 10.0, 10),
        ("Somebody stands in the kitchen", 0.0, 60),
    ]
    assert fields_of(samples[0])["license"] == "CC0"
    assert fields_of(samples[0])["path"] == "videos/bread.mp4"
    assert [one.reason for one in refused] == [
        "it names no stretch: start='20', end='10'",
        "it is not in the folder of the videos",
        "it is not in the folder of the videos",
    ]


def test_tars_and_parquet_with_videos_in_them(tmp_path: Path, video: Path) -> None:
    content = video.read_bytes()
    about = b'{"caption": "Somebody cuts a loaf", "url": "http://v/1"}'
    members = {"1.mp4": content, "1.json": about, "2.mp4": b"?", "2.json": about}
    (tmp_path / "0.tar").write_bytes(tar_bytes(members))
    [sample], [refused] = made(tmp_path / "0.tar", min_words=4)
    assert fields_of(sample)["url"] == "http://v/1"
    assert refused.reason.startswith("1 of 1 clips are lost")
    table = pyarrow.table(
        {"video": [{"bytes": content, "path": "1.mp4"}], "text": ["A loaf is cut"]}
    )
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    [other], _ = made(tmp_path / "a.parquet", min_words=4)
    assert other.members["mp4"] == sample.members["mp4"]


def test_what_a_path_stands_for(tmp_path: Path, video: Path) -> None:
    video.with_suffix(".txt").write_text("Somebody cuts a loaf of bread.")
    assert len(made(video)[0]) == len(made(f"{video.parent}/*.mp4")[0]) == 1
    for path, message in [(f"{video}x", "there is no file"), (tmp_path / "none*", "nothing fits")]:
        with pytest.raises(DataError, match=message):
            made(path)
