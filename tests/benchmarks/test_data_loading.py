"""The data-loading benchmark measures real shards and a real run."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.data_loading import report, sources_of, speed, waits, write_shards
from flamingo.data.tokenizer import prepare_tokenizer
from flamingo.miniature.tokenizer import build_tokenizer


@pytest.fixture(autouse=True)
def _cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLAMINGO_CACHE", str(tmp_path / "cache"))


def test_it_reads_shards_and_a_log(tmp_path: Path) -> None:
    write_shards(tmp_path, 8, size=(64, 48))
    prepared = prepare_tokenizer(build_tokenizer())
    sources = sources_of(tmp_path, prepared, 28)
    assert [source.num_samples for source in sources] == [8, 8]
    workers = [speed(source, 2) for source in sources]
    assert workers[0]["images_per_cpu_second"] > workers[0]["samples_per_cpu_second"]
    run = waits(sources, prepared, "tiny", num_workers=0, steps=2)
    assert run["steps"] == 2
    assert 0 < run["data_wait"] < 1
    found = {"picture": (64, 48), "image_size": 28, "workers": workers, "runs": [run]}
    assert "waiting for data (2 steps)" in report(found)
