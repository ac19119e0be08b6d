"""The drawing benchmark counts what is drawn; how fast it is is not tested."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from benchmarks import drawing
from flamingo.foundation.randomness import generator
from flamingo.miniature.tasks import TASKS


def test_a_clip_has_more_images_than_a_picture() -> None:
    counts = {name: draw(generator("test", name)) for name, draw in drawing.KINDS.items()}
    assert counts == {"scenes": 1, "clips": 8, "glyphs": 1}


def test_a_speed_is_a_median_between_the_slowest_and_the_fastest() -> None:
    found = drawing.speed("clips", drawing.clip, rounds=3, num_samples=2)
    assert 0 < found.slowest <= found.samples <= found.fastest
    assert found.images_per_sample == 8
    assert found.images == pytest.approx(8 * found.samples)


def test_images_are_averaged_over_all_rounds_but_the_first() -> None:
    counts = iter((100, 100, 1, 3, 5, 7))
    found = drawing.speed("any", lambda rng: next(counts), rounds=2, num_samples=2)
    assert found.images_per_sample == 4


def test_an_episode_is_its_shots_and_its_query() -> None:
    assert drawing.episodes_of(TASKS["new-word-2"])(generator("test")) == drawing.SHOTS + 1


def test_it_prints_and_writes_all_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "drawing.json"
    monkeypatch.setattr(drawing, "TASKS", {"caption": TASKS["caption"]})
    options = ["--rounds", "1", "--samples", "1", "--json", str(file)]
    monkeypatch.setattr(sys, "argv", ["drawing", *options])
    drawing.main()
    said = capsys.readouterr().out
    found = json.loads(file.read_text(encoding="utf-8"))
    assert [one["name"] for one in found["kinds"]] == list(drawing.KINDS)
    assert [one["name"] for one in found["episodes"]] == ["caption"]
    assert found["command"] == f"python -m benchmarks.drawing {' '.join(options)}"
    assert date.fromisoformat(found["date"]) <= datetime.now(UTC).date()
    assert "episodes of caption" in said
    assert found["machine"]["cpu"] in said
