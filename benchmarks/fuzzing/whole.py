"""The whole command over a folder of hostile pages, and what its shards hold."""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from benchmarks.fuzzing.folder import SECRET, FuzzFolder
from benchmarks.fuzzing.watching import Watch, peak_memory, state_of
from flamingo.cli.main import main as flamingo
from flamingo.data.collection.deduplication.settings import NO_DEDUPLICATION
from flamingo.data.collection.engines import LocalEngine
from flamingo.data.collection.manifest import check_shards
from flamingo.data.collection.opening import collector_of
from flamingo.data.collection.page_collector import PageCollector
from flamingo.data.collection.page_settings import PageSettings
from flamingo.data.collection.pieces import PieceFolder
from flamingo.data.collection.prepare import PIECES
from flamingo.data.collection.preview import preview_html
from flamingo.data.collection.previewing import looked_at
from flamingo.data.datasets import DatasetConfig, build_dataset, open_store
from flamingo.data.encoding import Encoder
from flamingo.data.tokenizer import prepare_tokenizer
from flamingo.data.transforms import VisualTransform
from flamingo.foundation.records import to_plain
from flamingo.miniature.tokenizer import build_tokenizer

KEEPS_DUPLICATES = tuple(
    f"deduplication.{name}={json.dumps(value)}"
    for name, value in to_plain(NO_DEDUPLICATION).items()
)
"""Pages made of few others are duplicates nearly all, and little would be left to look at."""
_BATCH = 8


@dataclass(frozen=True)
class Whole:
    """What the command has done.

    Attributes:
        exit_code: of it; None if its process died.
        text: that it printed.
        forbidden: what was opened or tried that must not be.
        memory: of its process at most, in bytes.
    """

    exit_code: int | None
    text: str
    forbidden: tuple[str, ...] = ()
    memory: int = 0


def prepare_all(pages: Path, out: Path) -> Whole:
    """Runs `flamingo prepare pages` in a process of its own."""
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    process = context.Process(target=_answer, args=(pages, out, answers))
    process.start()
    process.join()
    if answers.empty():
        return Whole(None, f"the process died with exit code {process.exitcode}")
    whole: Whole = answers.get()
    return whole


def prepare_here(pages: Path, out: Path) -> Whole:
    """Runs `flamingo prepare pages` in this process."""
    words = ["prepare", "pages", f"source={pages}", "--out", str(out), "--processes", "1",
             "--keep-pieces", *KEEPS_DUPLICATES]  # fmt: skip
    watch = Watch([pages], [out])
    text = io.StringIO()
    try:
        with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
            code: int | None = flamingo(words)
    except Exception:  # all that comes out of a command is a fault of it
        code = None
        text.write(traceback.format_exc())
    finally:
        watch.end()
    return Whole(code, text.getvalue(), watch.taken(), peak_memory())


def _answer(pages: Path, out: Path, answers: SimpleQueue[Whole]) -> None:
    sys.dont_write_bytecode = True
    answers.put(prepare_here(pages, out))


def faults_of_shards(folder: FuzzFolder, out: Path) -> Iterator[str]:
    """What is wrong with the shards, in words."""
    yield from check_shards(out)
    yield from secrets_in(out, folder)
    store = open_store(str(out / "shard-*.tar"), endings=["json"])
    for number in range(len(store)):
        raw = store[number]
        strange = [name for name in raw.names if "/" in name or ".." in name]
        if strange:
            yield f"{raw.where} has members called {strange}"
        for picture in json.loads(raw.read("json"))["image_details"]:
            if picture["sha256"] == folder.secret_pixels:
                yield f"{raw.where} has the picture that lies outside, as {picture['url']!r}"
    yield from _unreadable(out)


def secrets_in(out: Path, folder: FuzzFolder) -> Iterator[str]:
    """Files below `out` with words of the files outside, or of the system's."""
    secrets = [SECRET.encode(), Path("/etc/passwd").read_bytes().splitlines()[0]]
    for path in sorted(out.rglob("*")):
        if path.is_symlink():
            yield f"{path} is a link"
        elif path.is_file() and any(secret in path.read_bytes() for secret in secrets):
            yield f"{path} has words of a file outside of the folder"


def _unreadable(out: Path) -> Iterator[str]:
    """Samples that a training would pass over."""
    prepared = prepare_tokenizer(build_tokenizer())
    config = DatasetConfig("pages", f"{out}/shard-*.tar", batch=_BATCH, shuffle=False)
    source = build_dataset(
        "fuzz", config, Encoder(prepared), VisualTransform(32), pad_id=prepared.ids.pad
    )
    for step in range(-(-source.num_samples // _BATCH)):
        for skipped in source.batch(step).skipped:
            yield f"a training cannot read {skipped.sample}: {skipped.reason}"


def other_settings(folder: FuzzFolder, out: Path, num_previewed: int) -> None:
    """Decides about duplicates as by default, and makes a preview; raises what they raise."""
    settings = PageSettings(source=str(folder.pages))
    collector = collector_of(settings, out, LocalEngine(1))
    assert isinstance(collector, PageCollector)
    pieces = PieceFolder(out / PIECES)
    names = [piece.name for piece in collector.pieces()]
    decided = collector.decide([(name, pieces.signature(name)) for name in names])
    for name in names:
        decided.of(name, int(pieces.notes(name)["num_samples"]))
    json.dumps(decided.report()).encode()
    preview_html("fuzz", looked_at(collector, num_previewed)).encode()


def changes_outside(
    folder: FuzzFolder, before: dict[str, tuple[int, ...]], out: Sequence[Path]
) -> Iterator[str]:
    """What was made, changed or removed beside the target."""
    after = state_of(folder.root, out)
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) != after.get(path):
            yield f"{path!r} was made, changed or removed: {before.get(path)}, {after.get(path)}"
