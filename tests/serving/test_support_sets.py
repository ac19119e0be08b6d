from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import stat
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.foundation.errors import ConfigError
from flamingo.foundation.whole_files import written_whole
from flamingo.serving.errors import StorageFull, TooLarge, Unknown
from flamingo.serving.limits import Limits
from flamingo.serving.support_set_form import shareable, support_set_of
from flamingo.serving.support_sets import NameTaken, StoredSupport, SupportSet, SupportSets

RED = StoredSupport(b"red", "image/png", {"output": "red"})
BLUE = StoredSupport(b"blue", "image/jpeg", {"question": "What?", "answer": "blue"})


def create(sets: SupportSets, owner: str = "ada", name: str = "colors", **other: Any) -> SupportSet:
    about = {"supports": [RED], "question": None, "template": None, "replace": False, **other}
    return sets.create(owner, name, **about)


def test_a_set_is_found_by_id_and_by_name() -> None:
    sets = SupportSets(Limits(), None)
    kept = create(sets, supports=[RED, BLUE], question="What is it?", template="caption")
    assert sets.get("ada", kept.id) is sets.get("ada", "colors") is kept
    assert (kept.supports, kept.question, kept.template) == ((RED, BLUE), "What is it?", "caption")
    assert kept.num_bytes >= 7
    assert kept.id.startswith("set-")
    assert len(kept.id) == 28


def test_sets_belong_to_who_made_them() -> None:
    sets = SupportSets(Limits(), None)
    ada, bob = create(sets), create(sets, "bob")
    assert ada.id != bob.id
    assert sets.list("ada") == [ada]
    assert sets.get("bob", "colors") is bob
    for owner in ("bob", "", "eve"):
        with pytest.raises(Unknown):
            sets.get(owner, ada.id)
        with pytest.raises(Unknown):
            sets.delete(owner, ada.id)
    sets.delete("ada", "colors")
    assert sets.list("ada") == []
    assert sets.list("bob") == [bob]


def test_the_same_again_changes_nothing() -> None:
    sets = SupportSets(Limits(support_sets=1), None)
    kept = create(sets)
    assert create(sets) is kept
    assert create(sets, replace=True) is kept
    assert sets.list("ada") == [kept]


@pytest.mark.parametrize(
    "other",
    [
        {"supports": [BLUE]},
        {"question": "?"},
        {"template": "caption"},
        {"supports": [RED, RED]},
        {"supports": [StoredSupport(b"red", "image/png", {"output": "blue"})]},
    ],
)
def test_a_name_is_taken_unless_replaced(other: dict[str, Any]) -> None:
    sets = SupportSets(Limits(), None)
    old = create(sets)
    with pytest.raises(NameTaken, match="colors"):
        create(sets, **other)
    assert sets.list("ada") == [old]
    new = create(sets, replace=True, **other)
    assert sets.list("ada") == [new]
    assert sets.get("ada", "colors") is new
    with pytest.raises(Unknown):
        sets.get("ada", old.id)


@pytest.mark.parametrize(
    "name", ["", " a", "a ", "a\n", "\0", "x" * 101, "\ud800", "set-1", "\u200b"]
)
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        create(SupportSets(Limits(), None), name=name)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", "x" * 100, "色", "a/b"])
def test_names_are_never_paths(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "inner" / "sets"
    kept = create(SupportSets(Limits(), folder), name=name)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [folder / f"{kept.id}.json"]
    assert SupportSets(Limits(), folder).get("ada", name) == kept


def test_texts_that_are_refused() -> None:
    sets = SupportSets(Limits(), None)
    halves = StoredSupport(b"a", "image/png", {"output": "\ud800"})
    twice = StoredSupport(b"a", "image/png", {"visual": "b"})
    for other in ({"supports": []}, {"supports": [halves]}, {"supports": [twice]}):
        with pytest.raises(ConfigError):
            create(sets, **other)
    with pytest.raises(ConfigError, match="half a character"):
        create(sets, question="\udfff")


def test_limits() -> None:
    limits = Limits(visuals=2, visual_bytes=50, request_bytes=90, support_sets=2)
    sets = SupportSets(limits, None)
    large = StoredSupport(bytes(50), "image/png", {"output": "a"})
    for supports in ([RED] * 3, [StoredSupport(bytes(51), "a/b", {"output": ""})], [large, large]):
        with pytest.raises(TooLarge):
            create(sets, supports=supports)
    create(sets, name="a")
    create(sets, name="b")
    with pytest.raises(StorageFull, match="up to 2 support sets"):
        create(sets, "bob", name="c")
    create(sets, name="a", supports=[BLUE], replace=True)
    sets.delete("ada", "b")
    create(sets, "bob", name="c")
    with pytest.raises(StorageFull, match="of 20 bytes"):
        create(SupportSets(Limits(support_set_bytes=20), None), supports=[large])


def test_sets_outlive_the_server(tmp_path: Path) -> None:
    sets = SupportSets(Limits(), tmp_path)
    first = create(sets, supports=[RED, BLUE], question="What is it?", template="It says: {output}")
    second = create(sets, name="other", supports=[BLUE])
    create(sets, "bob", name="gone")
    sets.delete("bob", "gone")
    replaced = create(sets, name="other", supports=[RED], replace=True)
    again = SupportSets(Limits(), tmp_path)
    assert {kept.id: kept for kept in again.list("ada")} == {
        first.id: first,
        replaced.id: replaced,
    }
    assert again.list("bob") == []
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{first.id}.json",
        f"{replaced.id}.json",
    }
    assert second.id != replaced.id


def test_a_file_is_what_can_be_shared(tmp_path: Path) -> None:
    kept = create(SupportSets(Limits(), tmp_path), supports=[RED])
    form = json.loads((tmp_path / f"{kept.id}.json").read_text())
    assert form.pop("owner") == "ada"
    assert form.pop("created") == kept.created
    assert form == shareable(kept)
    assert (form["format"], form["version"]) == ("flamingo-support-set", 1)
    assert form["supports"] == [{"visual": "data:image/png;base64,cmVk", "output": "red"}]


@settings(max_examples=50)
@given(
    texts=st.lists(st.text(st.characters(codec="utf-8"), max_size=20), min_size=1, max_size=3),
    content=st.binary(min_size=1, max_size=30),
    question=st.none() | st.text(st.characters(codec="utf-8"), max_size=20),
)
def test_the_shared_form_keeps_everything(
    texts: list[str], content: bytes, question: str | None
) -> None:
    supports = [StoredSupport(content, "image/webp", {"output": text}) for text in texts]
    kept = SupportSet.of("ada", "a", supports, question, None, 5)
    form = json.loads(json.dumps(shareable(kept)))
    assert support_set_of(form, "ada", 5, 1000) == kept


DAMAGED = {
    "empty": b"",
    "no JSON": b"{",
    "not UTF-8": b"\xff\xfe",
    "deep": b"[" * 100_000,
    "list": b"[]",
    "of nobody": b'{"format": "flamingo-support-set", "version": 1}',
    "other format": b'{"owner": "ada", "created": 1, "format": "pickle"}',
    "large number": b'{"owner": "ada", "created": ' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_set_aside(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = create(SupportSets(Limits(), tmp_path))
    path = tmp_path / f"set-{'0' * 24}.json"
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        sets = SupportSets(Limits(), tmp_path)
    assert sets.list("ada") == [kept]
    assert "damaged" in caplog.text
    assert not path.exists()
    assert path.with_name(f"{path.name}.damaged").read_bytes() == content


def test_a_changed_file_is_set_aside(tmp_path: Path) -> None:
    kept = create(SupportSets(Limits(), tmp_path))
    path = tmp_path / f"{kept.id}.json"
    for old, new in (("red", "rad"), ("ada", "bob"), ("cmVk", "!!!!"), ("output", "visual2")):
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        assert SupportSets(Limits(), tmp_path).list("ada") == []
        path.write_text(text)
    assert SupportSets(Limits(), tmp_path).list("ada") == [kept]


def test_only_own_files_are_touched(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside.json", tmp_path / "sets"
    kept = create(SupportSets(Limits(), folder))
    own = folder / f"{kept.id}.json"
    outside.write_bytes(own.read_bytes())
    own.unlink()
    own.symlink_to(outside)
    (folder / "notes.txt").write_text("mine")
    (folder / f"set-{'1' * 24}.json").mkdir()
    os.mkfifo(folder / f"set-{'2' * 24}.json")
    with suppress(FileNotFoundError), written_whole(own) as left_over:
        """Where half a file would be, if the server were killed now."""
    left_over.write_text("half")
    assert SupportSets(Limits(), folder).list("ada") == []
    assert outside.exists()
    assert (folder / "notes.txt").read_text() == "mine"
    assert not left_over.exists()


def test_more_than_may_be_kept_stay_on_the_disk(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sets = SupportSets(Limits(), tmp_path)
    for name in "abc":
        create(sets, name=name)
    with caplog.at_level(logging.WARNING):
        few = SupportSets(Limits(support_sets=2), tmp_path)
    assert len(few.list("ada")) == 2
    assert "stays on the disk" in caplog.text
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_nothing_half_written(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets = SupportSets(Limits(), tmp_path)
    old = create(sets)

    def fails(*args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, step, fails)
        with pytest.raises(StorageFull, match="No space left") as caught:
            create(sets, supports=[BLUE], replace=True)
    assert str(tmp_path) not in str(caught.value)
    assert sets.list("ada") == [old]
    assert [path.name for path in tmp_path.iterdir()] == [f"{old.id}.json"]
    assert create(sets, supports=[BLUE], replace=True)


def test_a_folder_that_is_gone_does_not_come_back_empty(tmp_path: Path) -> None:
    sets = SupportSets(Limits(), tmp_path / "sets")
    kept = create(sets)
    shutil.rmtree(tmp_path / "sets")
    with pytest.raises(StorageFull, match="No such file"):
        create(sets, name="other")
    assert not (tmp_path / "sets").exists()
    assert sets.list("ada") == [kept]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux")
def test_a_disk_that_is_really_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sets = SupportSets(Limits(), tmp_path)
    original = Path.open

    def opened(path: Path, mode: str = "r", *args: Any) -> Any:
        return original(Path("/dev/full"), "wb") if mode == "wb" else original(path, mode, *args)

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(StorageFull, match="No space left"):
        create(sets)
    assert sets.list("ada") == []
    assert list(tmp_path.iterdir()) == []


def test_nobody_else_may_read_a_set(tmp_path: Path) -> None:
    kept = create(SupportSets(Limits(), tmp_path))
    assert stat.S_IMODE((tmp_path / f"{kept.id}.json").stat().st_mode) == 0o600


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be made"):
        SupportSets(Limits(), tmp_path / "file" / "sets")
    with pytest.raises(ConfigError, match="cannot be made"):
        SupportSets(Limits(), tmp_path / "file")


def test_many_threads(tmp_path: Path) -> None:
    sets = SupportSets(Limits(), tmp_path)
    results: list[str] = []

    def work(number: int) -> None:
        for turn in range(5):
            support = StoredSupport(b"%d" % number, "image/png", {"output": str(turn)})
            results.append(create(sets, supports=[support], replace=True).id)
            sets.list("ada")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 30
    (last,) = sets.list("ada")
    assert [path.name for path in tmp_path.iterdir()] == [f"{last.id}.json"]
    assert SupportSets(Limits(), tmp_path).list("ada") == [last]
