"""Pieces, decisions and shards: the same bytes however the work is done, and after any kill."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flamingo.data.collection.engines import LocalEngine, engine_named
from flamingo.data.collection.manifest import MANIFEST, check_shards
from flamingo.data.collection.prepare import PIECES, Prepared, prepare
from flamingo.data.datasets import open_store
from flamingo.foundation.errors import ConfigError, DataError
from tests.data.collection.lines_collector import LinesCollector


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    folder = tmp_path / "input"
    folder.mkdir()
    for number in range(5):
        words = [f"line {number * 3 + row} of words" for row in range(4)]
        (folder / f"file{number}.txt").write_text("\n".join(words))
    return folder


def prepared(lines: Path, out: Path, **changes: Any) -> Prepared:
    how: dict[str, Any] = {"settings": {"a": 1}, "engine": LocalEngine(1), "samples_per_shard": 3}
    return prepare(LinesCollector(lines), "text", out, **(how | changes))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*")) if path.is_file()}


def test_each_line_is_there_once_and_in_order(lines: Path, tmp_path: Path) -> None:
    found = prepared(lines, tmp_path / "out")
    store = open_store(str(tmp_path / "out" / found.manifest.path), endings=["txt"])
    texts = [store[number].read("txt").decode() for number in range(len(store))]
    assert texts == [f"line {number} of words" for number in range(16)]
    assert found.manifest.num_samples == 16
    assert found.manifest.num_words == 2 * 16 * 4
    assert [shard.num_samples for shard in found.manifest.shards] == [3, 3, 3, 3, 3, 1]
    assert found.report == {"collected": {"lines": 20}, "decided": {"kept": 16}}
    assert check_shards(tmp_path / "out") == []
    assert not (tmp_path / "out" / PIECES).exists()


@pytest.mark.slow
def test_processes_make_the_same_bytes(lines: Path, tmp_path: Path) -> None:
    prepared(lines, tmp_path / "one")
    prepared(lines, tmp_path / "many", engine=LocalEngine(2))
    assert contents(tmp_path / "one") == contents(tmp_path / "many")


@pytest.mark.slow
def test_ray_makes_the_same_bytes(lines: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    prepared(lines, tmp_path / "one")
    prepared(lines, tmp_path / "ray", engine=engine_named("ray", 2))
    assert contents(tmp_path / "one") == contents(tmp_path / "ray")


def test_what_is_finished_is_not_done_again(lines: Path, tmp_path: Path) -> None:
    first = prepared(lines, tmp_path / "out")
    before = contents(tmp_path / "out")
    times = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").iterdir()}
    assert prepared(lines, tmp_path / "out") == first
    assert contents(tmp_path / "out") == before
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "out").iterdir()} == times


RUN = """
import sys
from pathlib import Path
from flamingo.data.collection.engines import LocalEngine
from flamingo.data.collection.prepare import prepare
from tests.data.collection.lines_collector import LinesCollector
prepare(LinesCollector(Path(sys.argv[1])), "text", Path(sys.argv[2]), settings={"a": 1},
        engine=LocalEngine(1), samples_per_shard=3)
"""


def test_a_killed_run_goes_on(lines: Path, tmp_path: Path) -> None:
    prepared(lines, tmp_path / "whole")
    (lines / "file3.trap").touch()
    command = [sys.executable, "-c", RUN, str(lines), str(tmp_path / "out")]
    killed = subprocess.run(command, check=False)
    assert killed.returncode == -9
    assert len([*(tmp_path / "out" / PIECES).glob("*.tar")]) == 3
    prepared(lines, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.slow
def test_a_killed_process_is_told_and_nothing_is_lost(lines: Path, tmp_path: Path) -> None:
    prepared(lines, tmp_path / "whole")
    (lines / "file4.trap").touch()
    with pytest.raises(DataError, match=r"(?s)killed.*run the same again"):
        prepared(lines, tmp_path / "out", engine=LocalEngine(2))
    prepared(lines, tmp_path / "out", engine=LocalEngine(2))
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_shards_that_are_half_written_are_made_anew(lines: Path, tmp_path: Path) -> None:
    prepared(lines, tmp_path / "out", keep_pieces=True)
    whole = contents(tmp_path / "out")
    (tmp_path / "out" / MANIFEST).unlink()
    (tmp_path / "out" / "shard-000002.tar").unlink()
    (tmp_path / "out" / ".shard-000004.tar.unfinished").write_bytes(b"half")
    prepared(lines, tmp_path / "out", keep_pieces=True)
    after = contents(tmp_path / "out")
    assert {n: b for n, b in after.items() if not n.startswith(".")} == whole


def test_other_settings_and_other_input_are_refused(lines: Path, tmp_path: Path) -> None:
    prepared(lines, tmp_path / "out")
    with pytest.raises(ConfigError, match=r"a: 1 there, 2 here"):
        prepared(lines, tmp_path / "out", settings={"a": 2})
    (lines / "file9.txt").write_text("another")
    with pytest.raises(DataError, match=r"input .* has changed"):
        prepared(lines, tmp_path / "out")


def test_nothing_left_is_an_error_with_a_report(tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    with pytest.raises(DataError, match="no input"):
        prepared(tmp_path / "input", tmp_path / "out")
    (tmp_path / "input" / "a.txt").write_text("")
    with pytest.raises(DataError, match="Nothing is left"):
        prepared(tmp_path / "input", tmp_path / "out")
    assert (tmp_path / "out" / "report.json").is_file()


def test_a_manifest_tells_what_is_not_as_it_was(lines: Path, tmp_path: Path) -> None:
    prepared(lines, tmp_path / "out")
    one, two, three = sorted((tmp_path / "out").glob("*.tar"))[:3]
    one.unlink()
    two.write_bytes(two.read_bytes()[:-1])
    three.write_bytes(bytes(reversed(three.read_bytes())))
    found = check_shards(tmp_path / "out")
    assert [line.split()[0] for line in found] == [one.name, two.name, three.name]
    with pytest.raises(DataError, match="is gone"):
        prepared(lines, tmp_path / "out")


def test_impossible_engines_are_refused() -> None:
    with pytest.raises(ConfigError, match="processes is 0"):
        LocalEngine(0)
    with pytest.raises(ConfigError, match="no engine 'dask'"):
        engine_named("dask", 2)
