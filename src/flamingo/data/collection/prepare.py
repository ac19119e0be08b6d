"""From any input to shards: pieces side by side, a decision over all of them, shards side by side.

Each piece, and each shard, is written whole or not at all, and is the same wherever it is made. So
a run that was killed goes on where it was, and one machine makes what a cluster makes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from flamingo.data.collection.engines import Engine
from flamingo.data.collection.manifest import MANIFEST, Manifest, hash_of_names, read_manifest
from flamingo.data.collection.pieces import Collector, Piece, PieceFolder
from flamingo.data.collection.shard_plan import ShardRecord, make_shard, plan_shards
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.foundation.records import from_plain, json_text, write_text_atomically

PIECES, SETTINGS, REPORT = "pieces", "settings.json", "report.json"
PREFIX = "shard"

Progress = Callable[[str, int, int], object]
"""Is called with what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True)
class Prepared:
    """What a preparation has left.

    Attributes:
        manifest: of the shards.
        report: what was read, removed and decided, in plain data.
    """

    manifest: Manifest
    report: Mapping[str, Any]


def prepare(
    collector: Collector,
    kind: str,
    out: Path,
    *,
    settings: Mapping[str, Any],
    engine: Engine,
    samples_per_shard: int = 1000,
    keep_pieces: bool = False,
    progress: Progress = lambda what, done, total: None,
) -> Prepared:
    """Prepares a data set. Called again after it was killed, it goes on; when done, it is done.

    Args:
        collector: what is made of what.
        kind: of the samples, as `DatasetConfig` calls them.
        out: a folder for the shards, their manifest and the report.
        settings: all that decides the result, in plain data; kept with it.
        engine: where the work is done.
        samples_per_shard: of every shard but the last.
        keep_pieces: whether what was made of each piece is kept when the shards are there.
        progress: see `Progress`.

    Raises:
        ConfigError: the folder was begun with other settings.
        DataError: there is no input, it has changed, or nothing of it can be used.
    """
    pieces = collector.pieces()
    names = [piece.name for piece in pieces]
    _check_names(names)
    _begin(out, settings, names)
    there = _finished(out)
    if there is not None:
        return there
    folder = PieceFolder(out / PIECES)
    _collect(collector, pieces, folder, engine, progress)
    progress("deciding", 0, 1)
    decided = collector.decide([(name, folder.signature(name)) for name in names])
    progress("deciding", 1, 1)
    decisions = (
        (folder.samples(name), decided.of(name, int(folder.notes(name)["num_samples"])))
        for name in names
    )
    plans = plan_shards(decisions, out / PREFIX, samples_per_shard)
    if not plans:
        report = _report(collector, folder, names, decided.report())
        write_text_atomically(out / REPORT, json_text(report))
        raise DataError(
            f"Nothing is left of {len(names)} pieces of input: every sample was removed.\n"
            f"{out / REPORT} says by which step. Choose milder settings, or other input."
        )
    records: dict[int, ShardRecord] = {}
    progress("writing shards", 0, len(plans))
    for number, described in engine.run(make_shard, plans):
        records[number] = from_plain(ShardRecord, described)
        progress("writing shards", len(records), len(plans))
    shards = [records[number] for number in range(len(plans))]
    manifest = Manifest.of(kind, PREFIX, shards, settings, names)
    report = _report(collector, folder, names, decided.report())
    write_text_atomically(out / REPORT, json_text(report))
    manifest.write(out)
    if not keep_pieces:
        shutil.rmtree(out / PIECES)
    return Prepared(manifest, report)


def collect_piece(collector: Collector, folder: Path, piece: Piece) -> str:
    """Makes what a piece gives, unless it is there already; its name."""
    place = PieceFolder(folder)
    if not place.is_done(piece.name):
        place.write(piece.name, collector.collect(piece))
    return piece.name


def _collect(
    collector: Collector,
    pieces: Sequence[Piece],
    folder: PieceFolder,
    engine: Engine,
    progress: Progress,
) -> None:
    missing = [piece for piece in pieces if not folder.is_done(piece.name)]
    done = len(pieces) - len(missing)
    progress("collecting", done, len(pieces))
    for _ in engine.run(partial(collect_piece, collector, folder.folder), missing):
        done += 1
        progress("collecting", done, len(pieces))


def _begin(out: Path, settings: Mapping[str, Any], names: Sequence[str]) -> None:
    """Notes what the folder is for, or makes sure that it is for the same."""
    path = out / SETTINGS
    wanted = {"settings": json.loads(json.dumps(settings)), "input": hash_of_names(names)}
    if not path.is_file():
        if out.is_dir() and any(out.glob(f"{PREFIX}-*.tar")):
            raise ConfigError(
                f"{out} holds shards that nothing says the origin of. Name another folder."
            )
        out.mkdir(parents=True, exist_ok=True)
        write_text_atomically(path, json_text(wanted))
        return
    there = json.loads(path.read_text(encoding="utf-8"))
    if there["settings"] != wanted["settings"]:
        differing = ", ".join(_differences(there["settings"], wanted["settings"]))
        raise ConfigError(
            f"{out} was begun with other settings: {differing}.\n"
            "Take those, or name another folder."
        )
    if there["input"] != wanted["input"]:
        raise DataError(
            f"The input of {out} has changed since it was begun: it is cut into other pieces.\n"
            "Prepare it anew in another folder."
        )


def _differences(there: Any, here: Any, path: str = "") -> Iterator[str]:
    """What differs, by name: "images.longest_side: 512 there, 320 here"."""
    if isinstance(there, dict) and isinstance(here, dict):
        for name in sorted(there.keys() | here.keys()):
            below = f"{path}.{name}" if path else name
            yield from _differences(there.get(name), here.get(name), below)
    elif there != here:
        yield f"{path}: {there!r} there, {here!r} here"


def _finished(out: Path) -> Prepared | None:
    manifest = read_manifest(out)
    if manifest is None:
        return None
    missing = [shard.name for shard in manifest.shards if not (out / shard.name).is_file()]
    if missing:
        raise DataError(
            f"{out} was finished, but {missing[0]} is gone ({len(missing)} in all).\n"
            f"Remove {MANIFEST} to make them anew."
        )
    return Prepared(manifest, json.loads((out / REPORT).read_text(encoding="utf-8")))


def _report(
    collector: Collector, folder: PieceFolder, names: Sequence[str], decided: Mapping[str, Any]
) -> dict[str, Any]:
    collected = collector.summary(folder.notes(name) for name in names)
    return {"collected": collected, "decided": dict(decided)}


def _check_names(names: Sequence[str]) -> None:
    if not names:
        raise DataError("There is no input to prepare.")
    if len(set(names)) < len(names):
        twice = next(name for number, name in enumerate(names) if name in names[:number])
        raise DataError(f"Two pieces of the input are called {twice!r}; they need names apart.")
