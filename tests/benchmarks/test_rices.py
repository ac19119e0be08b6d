"""The RICES benchmark compares searches that find the same; how fast they are is not tested."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from benchmarks import rices


@pytest.fixture(autouse=True)
def _without_faiss(monkeypatch: pytest.MonkeyPatch) -> None:
    # An entry of None makes the import fail, wherever the tests run.
    monkeypatch.setitem(sys.modules, "faiss", None)


def test_features_have_length_one_and_are_always_the_same() -> None:
    rows = rices.features(50, 16, "supports")
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1)
    assert np.array_equal(rows, rices.features(50, 16, "supports"))
    assert not np.array_equal(rows, rices.features(50, 16, "queries"))


def test_recall_is_the_share_that_was_found() -> None:
    supports, queries = rices.features(40, 8, "supports"), rices.features(3, 8, "queries")
    ours = rices.searchers(supports, 4, threads=1)["ours"]
    assert rices.recall(ours, supports, queries, 4) == 1
    assert rices.recall(lambda few: ours(few)[:, [0, 1, 0, 1]], supports, queries, 4) == 0.5


def test_a_speed_is_a_median_between_the_slowest_and_the_fastest() -> None:
    asked: list[int] = []
    contenders: dict[str, rices.Search] = {
        name: lambda few: asked.append(len(few)) or few for name in ("one", "other")
    }
    found = rices.speeds(contenders, np.zeros((8, 2)), rounds=3, searches={1: 2, 4: 1})
    assert [(one.searcher, one.batch) for one in found] == [
        ("one", 1),
        ("other", 1),
        ("one", 4),
        ("other", 4),
    ]
    assert all(0 < one.slowest <= one.queries <= one.fastest for one in found)
    assert asked == 4 * [1, 1, 1, 1, 4, 4]


def test_it_prints_and_writes_all_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "rices.json"
    sizes = ["--supports", "100", "--width", "8", "--shots", "5", "--rounds", "1"]
    options = [*sizes, "--json", str(file)]
    monkeypatch.setattr(sys, "argv", ["rices", *options])
    rices.main()
    said = capsys.readouterr().out
    found = json.loads(file.read_text(encoding="utf-8"))
    assert [one["batch"] for one in found["speeds"]] == list(rices.BATCHES)
    assert found["recalls"] == {"ours": 1.0}
    assert found["command"] == f"python -m benchmarks.rices {' '.join(options)}"
    assert date.fromisoformat(found["date"]) <= datetime.now(UTC).date()
    assert "faiss-cpu is not installed" in said
    assert found["machine"]["cpu"] in said
