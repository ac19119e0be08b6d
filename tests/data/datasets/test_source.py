from __future__ import annotations

import pickle
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

import fsspec
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from flamingo.data.datasets import DatasetSource
from flamingo.data.skipping import Drawn
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.foundation.sharing import Share

from .datasets_for_tests import (
    as_json,
    pair_members,
    picture,
    rows,
    source,
    texts,
    write_tar,
)


class Steps(Dataset[Drawn]):
    """A source as PyTorch's loader takes it."""

    def __init__(self, data: DatasetSource, num_steps: int) -> None:
        self.data, self.num_steps = data, num_steps

    def __len__(self) -> int:
        return self.num_steps

    def __getitem__(self, step: int) -> Drawn:
        return self.data.batch(step)


@pytest.fixture
def pairs(tmp_path: Path) -> str:
    """Ten pairs in three shards, of which number 6 is broken."""
    members = pair_members(0, 10)
    members["0006.png"] = members["0006.png"][:30]
    names = list(members)
    for number, part in enumerate((names[:6], names[6:14], names[14:])):
        write_tar(tmp_path / f"{number}.tar", {name: members[name] for name in part})
    return f"{tmp_path}/{{0..2}}.tar"


def run(data: DatasetSource, num_steps: int) -> list[str]:
    return list(chain.from_iterable(texts(data.batch(step)) for step in range(num_steps)))


def test_what_a_trainer_needs(pairs: str) -> None:
    data = source("pairs", pairs, name="ltip", weight=0.2, batch=4)
    assert (data.name, data.weight, data.size, data.num_samples) == ("ltip", 0.2, 4, 10)
    assert data.describe() == "ltip: 10 samples"
    batch = data.batch(0).batch
    assert batch.input_ids.shape[0] == 4
    assert batch.pixel_values.shape == (4, 1, 1, 3, 8, 8)


def test_each_epoch_has_every_sample_once_in_a_new_order(pairs: str) -> None:
    data = source("pairs", pairs, batch=5, flip=0.0)
    epochs = [run(data, 2), [t for s in (2, 3) for t in texts(data.batch(s))]]
    sound = {f"cat {number}" for number in range(10)} - {"cat 6"}
    for epoch in epochs:
        assert set(epoch) == sound
        assert Counter(epoch).most_common(1)[0][1] == 2  # the one that replaces number 6
    assert epochs[0] != epochs[1]


def test_samples_are_not_tied_to_batches(pairs: str) -> None:
    orders = [run(source("pairs", pairs, batch=batch), 12 // batch) for batch in (1, 3, 4)]
    assert orders[0] == orders[1] == orders[2]


def test_seed_and_name_decide(pairs: str) -> None:
    def order(name: str, seed: int) -> list[str]:
        return run(source("pairs", pairs, name=name, seed=seed, batch=10), 1)

    assert order("a", 0) == order("a", 0)
    assert len({tuple(order(name, seed)) for name in "ab" for seed in (0, 1)}) == 4


def test_a_broken_sample_is_named_and_replaced_by_the_same_one_again(pairs: str) -> None:
    data = source("pairs", pairs, batch=10)
    drawn, again = data.batch(0), data.batch(0)
    assert texts(drawn) == texts(again)
    assert drawn.skipped == again.skipped
    [skipped] = drawn.skipped
    assert skipped.sample.endswith("1.tar: 0006")
    assert skipped.reason.startswith("png: the PNG picture cannot be decoded")


def test_stored_order_and_nothing_random_for_validation(pairs: str) -> None:
    data = source("pairs", pairs, batch=5, shuffle=False, space_probability=1.0)
    expected = [f"cat {number}" for number in range(10)]
    found = run(data, 4)
    replacements = found[6], found[16]
    assert found == [
        *expected[:6],
        replacements[0],
        *expected[7:],
        *expected[:6],
        replacements[1],
        *expected[7:],
    ]
    [first, *_] = rows(data.batch(0))
    assert first["text"].startswith("<|endoftext|><image>cat 0")


def test_augmentation_belongs_to_the_place_in_the_run(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {"a.png": picture(100), "a.txt": b"A cat."})
    data = source("pairs", path, batch=6)
    drawn = list(rows(data.batch(0)))
    assert len({str(row["frames"]) for row in drawn}) >= 4
    assert drawn == list(rows(data.batch(0)))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_shares_put_together_are_the_batch(pairs: str, count: int) -> None:
    data = source("pairs", pairs, batch=10)
    whole = data.batch(3)
    shares = [data.share_of_batch(3, Share(index, count)) for index in range(count)]
    assert list(chain.from_iterable(map(rows, shares))) == list(rows(whole))
    assert tuple(chain.from_iterable(share.skipped for share in shares)) == whole.skipped


def test_a_batch_for_fewer_rows_than_processes(pairs: str) -> None:
    data = source("pairs", pairs, batch=1)
    with pytest.raises(ConfigError, match="a batch of 1 cannot be shared by 2 processes"):
        data.share_of_batch(0, Share(0, 2))


@pytest.mark.parametrize("num_workers", [1, 2])
def test_worker_processes_make_the_same_batches(pairs: str, num_workers: int) -> None:
    data = source("pairs", pairs, batch=4)
    loader = DataLoader(Steps(data, 5), batch_size=None, num_workers=num_workers)
    for step, drawn in enumerate(loader):
        here = data.batch(step)
        assert drawn.skipped == here.skipped
        assert torch.equal(drawn.batch.pixel_values, here.batch.pixel_values)
        assert list(rows(drawn)) == list(rows(here))


def test_a_source_can_be_sent_to_a_process_that_was_spawned(pairs: str) -> None:
    data = source("pairs", pairs, batch=4)
    sent = pickle.loads(pickle.dumps(data))
    assert list(rows(sent.batch(1))) == list(rows(data.batch(1)))


def test_the_same_batches_from_shards_folder_lines_and_a_remote_store(tmp_path: Path) -> None:
    members = pair_members(0, 6)
    write_tar(tmp_path / "a.tar", members)
    files = fsspec.filesystem("memory")
    files.pipe("/source/a.tar", (tmp_path / "a.tar").read_bytes())
    (tmp_path / "folder").mkdir()
    lines = []
    for name, content in members.items():
        (tmp_path / "folder" / name).write_bytes(content)
        if name.endswith("png"):
            lines.append(as_json(image=name, text=members[name.replace("png", "txt")].decode()))
    (tmp_path / "folder" / "a.jsonl").write_bytes(b"\n".join(lines))
    paths: tuple[Any, ...] = (
        tmp_path / "a.tar",
        tmp_path / "folder",
        tmp_path / "folder" / "a.jsonl",
        "memory://source/a.tar",
    )
    found = [
        [list(rows(source("pairs", path, batch=4, seed=1).batch(step))) for step in range(3)]
        for path in paths
    ]
    assert all(batches == found[0] for batches in found)


def test_the_other_kinds_from_shards(tmp_path: Path) -> None:
    page = as_json(text="A<image>B", images=["0.png"])
    write_tar(tmp_path / "pages.tar", {"a.json": page, "a.0.png": picture(9)})
    write_tar(tmp_path / "text.tar", {"a.txt": b"A cat.", "b.json": as_json(text="A dog.")})
    pages = source("pages", tmp_path / "pages.tar", batch=2, shuffle=False)
    text = source("text", tmp_path / "text.tar", batch=2, shuffle=False)
    assert texts(pages.batch(0)) == ["AB", "AB"]
    assert texts(text.batch(0)) == ["A cat.", "A dog."]
    assert text.batch(0).batch.pixel_values is None


def test_a_data_set_that_is_broken_throughout_is_an_error(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {f"{n}.txt": b"" for n in range(20)})
    data = source("text", path, batch=2)
    with pytest.raises(DataError, match="100 samples drawn one after the other") as caught:
        data.batch(0)
    assert str(caught.value).count("there is no text") == 5


def test_the_wrong_kind_says_what_is_missing(pairs: str) -> None:
    with pytest.raises(DataError, match="nothing to look at: no member mp4"):
        source("videos", pairs, batch=2).batch(0)


def test_shards_that_vanish_while_running(pairs: str, tmp_path: Path) -> None:
    strict = source("pairs", pairs, batch=10)
    tolerant = source("pairs", pairs, batch=10, missing_shards=1)
    before = tolerant.fingerprint
    (tmp_path / "0.tar").unlink()
    with pytest.raises(DataError, match=r"0\.tar: it is gone"):
        strict.batch(0)
    drawn = tolerant.batch(0)
    assert set(texts(drawn)) == {"cat 3", "cat 4", "cat 5", "cat 7", "cat 8", "cat 9"}
    assert {"0.tar: sample 0", "0.tar: sample 1", "0.tar: sample 2"} <= {
        skipped.sample.rpartition("/")[2] for skipped in drawn.skipped
    }
    assert tolerant.missing == (str(tmp_path / "0.tar"),)
    assert "1 shard gone: " in tolerant.describe()
    assert source("pairs", pairs, missing_shards=1).fingerprint != before
