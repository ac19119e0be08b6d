"""Captions with times: read, cleaned, and cut into clips."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.data.collection.clips.asr_json import spoken_lines
from flamingo.data.collection.clips.caption_files import (
    as_text,
    best_captions,
    clips_of_file,
    info_of,
)
from flamingo.data.collection.clips.cleaning import cleaned_lines, cleaned_text
from flamingo.data.collection.clips.cutting import cut_clips
from flamingo.data.collection.clips.lines import CaptionLine, Clip
from flamingo.data.collection.clips.settings import ClipSettings
from flamingo.data.collection.clips.timed_text import timed_lines
from flamingo.data.collection.made_samples import Refused
from flamingo.foundation.errors import ConfigError, DataError, FlamingoError

SETTINGS = ClipSettings()

VTT = """\ufeffWEBVTT - a file
Kind: captions

STYLE
::cue { color: red }

NOTE 00:01 --> is no time

first
00:01.000 --> 00:02.500 align:start position:0%
Hello <b>all</b>.
Welcome.

1:00:03.040 --> 1:00:04.5
<v Ann>Bye.
"""
SRT = """1
00:00:01,000 --> 00:00:02,500
Hello.
2
00:00:02,500 --> 00:00:04,000
Bye.

3
00:00:09,000 --> 00:00:08,000
Ends before it begins.

4
00:00:10,000 --> 00:00:11,000
"""
ROLLING = """WEBVTT
Kind: captions

00:00:00.160 --> 00:00:02.389 align:start position:0%
 
hello<00:00:00.480><c> everyone</c>

00:00:02.389 --> 00:00:02.399 align:start position:0%
hello everyone
 

00:00:02.399 --> 00:00:05.000 align:start position:0%
hello everyone
today<00:00:02.639><c> we</c><00:00:02.800><c> cook</c>

00:00:05.000 --> 00:00:05.010 align:start position:0%
today we cook
 

00:00:05.010 --> 00:00:08.000 align:start position:0%
today we cook
[Music]
"""  # noqa: W293


def line(start: int | float, end: int | float, text: str) -> CaptionLine:
    return CaptionLine(float(start), float(end), text)


def lines(*texts: tuple[float, float, str]) -> list[CaptionLine]:
    return [line(*one) for one in texts]


def test_web_vtt() -> None:
    assert timed_lines(VTT.removeprefix("\ufeff")) == lines(
        (1.0, 2.5, "Hello <b>all</b>.\nWelcome."), (3603.04, 3604.5, "<v Ann>Bye.")
    )
    assert timed_lines(VTT.replace("\n", "\r\n")) == timed_lines(VTT)


def test_sub_rip_without_empty_lines() -> None:
    assert timed_lines(SRT) == lines((1.0, 2.5, "Hello."), (2.5, 4.0, "Bye."))


def test_captions_that_roll_are_there_once() -> None:
    found = cleaned_lines(timed_lines(ROLLING))
    assert found == lines((0.16, 2.389, "hello everyone"), (2.399, 5.0, "today we cook"))
    growing = lines((0, 1, "we"), (1, 2, "we cut"), (2, 3, "we cut bread"), (9, 10, "we cut bread"))
    assert [one.text for one in cleaned_lines(growing)] == ["we", "cut", "bread", "we cut bread"]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("<i>Cut</i> the {\\an8}bread &amp; eat", "Cut the bread & eat"),
        ("<00:00:01.000><c.yellow>word</c>", "word"),
        (">> JOHN: Look at this", "Look at this"),
        ("- Hello there", "Hello there"),
        ("DR. O'NEIL: Yes", "Yes"),
        ("Note: this is hot", "Note: this is hot"),
        ("[Music] (applause) and (LAUGHS) so", "and so"),
        ("naan (a kind of bread) is good", "naan (a kind of bread) is good"),
        ("♪ la la la ♪", ""),
        ("[Applause]", ""),
        ("...", ""),
        ("3 < 5 and 7 > 2", "3 < 5 and 7 > 2"),
    ],
)
def test_what_is_not_said_goes(text: str, clean: str) -> None:
    assert cleaned_text(text) == clean


@pytest.mark.parametrize(
    "value",
    [
        {"text": "…", "segments": [{"id": 0, "start": 0, "end": 2.5, "text": " A dog."}]},
        [{"start": 0.0, "end": 2.5, "text": " A dog."}, {"start": 0}, 5, {"text": "no time"}],
        [{"start": 0.0, "duration": 2.5, "text": " A dog."}],
        {
            "start": [0.0, 3.0, None, 5],
            "end": [2.5, 2.0, 9, True],
            "text": [" A dog.", "", "x", "y"],
        },
    ],
)
def test_recognized_speech_in_json(value: Any) -> None:
    assert spoken_lines(value) == lines((0.0, 2.5, " A dog."))


@pytest.mark.parametrize("value", [None, 3, "a", {}, {"start": 1}, {"segments": 5}])
def test_other_json_holds_no_speech(value: Any) -> None:
    assert spoken_lines(value) is None


def spoken(*lengths: int | float, gap: float = 0.0, end: str = "") -> list[CaptionLine]:
    """Lines of these lengths, one after the other."""
    found, position = [], 0.0
    for number, length in enumerate(lengths):
        found.append(line(position, position + length, f"line {number}{end}"))
        position += length + gap
    return found


def stretches(found: list[CaptionLine], **settings: Any) -> list[tuple[float, float | None]]:
    cut = cut_clips(found, ClipSettings(**settings))
    return [(one.start, one.end) for one in cut if isinstance(one, Clip)]


def test_a_clip_ends_behind_a_sentence() -> None:
    found = spoken(*[5.0] * 12)
    found[2] = line(10, 15, "far from wanted.")
    found[3] = line(15, 20, "It ends.")
    assert stretches(found)[0] == (0, 20)


def test_or_where_the_longest_pause_is() -> None:
    found = [line(5.0 * n, 5.0 * n + (3 if n == 2 else 4.9), f"line {n}") for n in range(9)]
    assert stretches(found)[0] == (0, 13)
    assert stretches(spoken(*[5.0] * 9))[0] == (0, 20)


def test_a_long_pause_ends_a_clip() -> None:
    found = [*spoken(5, 5), *[line(n, n + 5, "later") for n in (14, 19)]]
    assert stretches(found) == [(0, 10), (14, 24)]
    assert stretches(found, max_gap=5.0) == [(0, 24)]


def test_too_short_and_too_long_is_named() -> None:
    cut = list(cut_clips([*spoken(5), line(60, 120, "A minute")], SETTINGS))
    assert [one.reason for one in cut if isinstance(one, Refused)] == [
        "5.0 s, at least 8",
        "60.0 s, at most 32",
    ]
    assert len(cut) == 2


def test_what_was_cut_already_is_not_cut_again() -> None:
    twice = sorted(spoken(*[5.0] * 4) * 2, key=lambda one: one.start)
    other = [line(0.5, 20, "All at once in another language")]
    assert stretches([*twice]) == [(0, 20)]
    shifted = [
        line(0, 20, "One."),
        line(5, 25, "Two."),
        line(15, 35, "Three."),
    ]
    assert stretches(shifted, max_seconds=22.0) == [(0, 20), (15, 35)]
    assert stretches(other) == [(0.5, 20)]


def test_texts_of_lines_are_joined() -> None:
    [clip] = cut_clips(spoken(4, 4, 4), SETTINGS)
    assert clip == Clip(0.0, 12.0, "line 0 line 1 line 2")


@given(
    st.lists(
        st.tuples(st.floats(0, 200), st.floats(0.01, 50), st.sampled_from(["a", "b.", "c?"])),
        max_size=60,
    )
)
def test_clips_keep_to_their_lengths(drawn: list[tuple[float, float, str]]) -> None:
    found = sorted(
        (line(start, start + length, text) for start, length, text in drawn),
        key=lambda one: (one.start, one.end),
    )
    cut = list(cut_clips(found, SETTINGS))
    clips = [one for one in cut if isinstance(one, Clip)]
    for clip in clips:
        assert clip.end is not None
        assert 8 <= clip.end - clip.start <= 32
    said = [
        word for one in cut for word in (one.text if isinstance(one, Clip) else one.example).split()
    ]
    assert said == [one.text for one in found]
    assert [one.start for one in clips] == sorted(one.start for one in clips)


def test_a_hundred_thousand_lines_at_once_take_seconds() -> None:
    found = [line(n * 1e-5, 10 + n * 1e-5, "all at once.") for n in range(100_000)]
    start = time.process_time()
    assert sum(isinstance(one, Clip) for one in cut_clips(found, SETTINGS)) < 5
    assert time.process_time() - start < 20


_PIECES = st.sampled_from(
    ["00:00:01.000", " --> ", "00:00:09,500", "\n", "\r\n", "1", "<b>", "♪", "WEBVTT", "- A: ", " "]
)


@given(st.one_of(st.text(max_size=200), st.lists(_PIECES, max_size=40).map("".join)))
def test_any_text_gives_lines_in_order(text: str) -> None:
    found = timed_lines(text)
    assert [one.start for one in found] == sorted(one.start for one in found)
    assert all(one.end > one.start >= 0 for one in found)
    for one in cleaned_lines(found):
        assert one.text.strip() == one.text != ""


@given(st.binary(max_size=200))
def test_any_bytes_give_clips_or_one_of_our_errors(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp() / "any_captions_of_videos"
    folder.mkdir(exist_ok=True)
    for name in ("a.vtt", "a.srt", "a.json", "a.txt"):
        (folder / name).write_bytes(content)
        try:
            clips_of_file(folder, name, SETTINGS)
        except FlamingoError:
            continue


def test_encodings() -> None:
    assert as_text("caf\u00e9".encode()) == "café"
    assert as_text("caf\u00e9".encode("utf-16")) == "café"
    assert as_text(b"\xef\xbb\xbfcaf\xc3\xa9") == "café"
    assert as_text("Das Café an der Straße öffnet früh.".encode("latin-1")) == (
        "Das Café an der Straße öffnet früh."
    )


def test_which_captions_are_taken() -> None:
    names = ["d/a.info.json", "d/a.txt", "d/a.srt", "d/a.de.vtt", "d/a.en-US.vtt", "d/a.en.srt"]
    order = []
    while (best := best_captions(names, "d/a", "en")) is not None:
        order.append(best)
        names.remove(best)
    assert order == ["d/a.en.srt", "d/a.en-US.vtt", "d/a.srt", "d/a.de.vtt", "d/a.txt"]
    assert best_captions(["a.de.vtt", "a.vtt", "a.txt"], "a", None) == "a.vtt"
    assert best_captions(["a.part two.vtt", "a.live_chat.json"], "a", "en") is None


def test_what_is_known_about_a_video(tmp_path: Path) -> None:
    known = {"webpage_url": "http://v/1", "license": "CC BY", "formats": [1], "title": None}
    (tmp_path / "a.info.json").write_text(json.dumps(known))
    assert info_of(tmp_path, "a.info.json") == {"url": "http://v/1", "license": "CC BY"}
    (tmp_path / "b.info.json").write_text("[")
    assert info_of(tmp_path, "b.info.json") == info_of(tmp_path, "gone") == info_of(tmp_path, None)


def test_files_without_captions_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.vtt").write_text("WEBVTT\n\nno times\n")
    with pytest.raises(DataError, match=r"a\.vtt has no captions with times"):
        clips_of_file(tmp_path, "a.vtt", SETTINGS)
    (tmp_path / "a.json").write_text('{"a": 1}')
    with pytest.raises(DataError, match="neither captions with times nor a text"):
        clips_of_file(tmp_path, "a.json", SETTINGS)
    with pytest.raises(DataError, match="outside of the folder"):
        clips_of_file(tmp_path, "../a.vtt", SETTINGS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fps": 0.0}, "fps=0.0 is impossible"),
        ({"min_seconds": 30.0}, "min_seconds=30, seconds=22 and max_seconds=32"),
        ({"longest_side": 5}, "longest_side=5"),
        ({"quality": 100}, "quality=100"),
        ({"min_distinct": 2.0}, "min_distinct=2"),
        ({"checks": ("a",)}, "no check 'a'"),
        ({"min_words": 9, "max_words": 3}, "max_words=3"),
    ],
)
def test_impossible_settings_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ClipSettings(**settings)
