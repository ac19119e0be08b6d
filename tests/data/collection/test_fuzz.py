"""Hostile pages do not crash, stall or lead out of the collection; the large run is a benchmark."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from benchmarks.fuzz_pages import Findings, fuzz, seed_pages
from benchmarks.fuzzing.folder import SECRET, make_folder, mutations_of
from benchmarks.fuzzing.references import CANARY
from benchmarks.fuzzing.watching import Watch
from benchmarks.fuzzing.whole import faults_of_shards, prepare_here

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Findings]:
    root = tmp_path_factory.mktemp("fuzz") / "root"
    root.mkdir()
    return root, fuzz(root, seed_pages(None), 100, seed=0, recipes=("pages",), is_small=True)


@pytest.mark.slow
def test_nothing_happens_that_must_not(fuzzed: tuple[Path, Findings]) -> None:
    _, found = fuzzed
    assert found.violations == []
    # Pages of all fates, else there was nothing to be seen.
    assert found.outcomes["pages: kept"] > 40
    assert found.outcomes["pages: dropped"] > 20
    assert found.outcomes["pages: skipped"] > 10


def test_what_lies_outside_is_told_if_it_is_in_a_shard(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "root", seed_pages(None), 1, 0, is_small=True)
    pages = tmp_path / "pages"
    pages.mkdir()
    page = seed_pages(None)[0].replace(b"a.jpg", b"in.png").replace(b"oak", SECRET.encode())
    (pages / "page.html").write_bytes(page)
    (pages / "in.png").write_bytes((folder.outside / CANARY).read_bytes())
    assert prepare_here(pages, tmp_path / "out").exit_code == 0
    faults = "\n".join(faults_of_shards(folder, tmp_path / "out"))
    assert "has the picture that lies outside, as 'in.png'" in faults
    assert "has words of a file outside" in faults


def test_a_watch_tells_what_is_opened_outside(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "file").write_text("text")
    (inside / "link").symlink_to(outside / "file")
    watch = Watch([inside], [])
    try:
        (inside / "file").read_text()
        assert watch.taken() == ()
        (inside / "link").read_text()
        (outside / "file").read_text()
        (inside / "file").write_text("changed")
        list(outside.iterdir())
        with socket.socket() as connection, pytest.raises(OSError, match="refused"):
            connection.connect(("127.0.0.1", 9))
        events = [one.split()[0] for one in watch.taken()]
    finally:
        watch.end()
    assert events == ["open", "open", "open", "os.listdir", "socket.connect"]


def test_the_same_seed_makes_the_same_pages(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        root = tmp_path / name / "x"
        folder = make_folder(root, seed_pages(None), 12, seed=3, is_small=True)
        files = [path for path in sorted(folder.pages.rglob("*~*")) if path.is_file()]
        place = str(folder.outside).encode()
        made.append([(path.name, path.read_bytes().replace(place, b"")) for path in files])
    assert len(made[0]) == 12
    assert made[0] == made[1]
    assert all(mutations_of(name) for name, _ in made[0] if "~~" not in name)
