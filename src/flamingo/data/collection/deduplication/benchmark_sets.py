"""Benchmarks that a corpus is kept clear of, as a user names them."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path

from flamingo.data.collection.deduplication.benchmark_files import visuals_in
from flamingo.data.collection.deduplication.benchmark_images import BenchmarkImages
from flamingo.data.collection.named_paths import named_paths
from flamingo.foundation.errors import ConfigError, DataError

_ENDING = ".npz"


def benchmark_images(given: str, kept: Path | None = None) -> BenchmarkImages:
    """What images of benchmarks look like.

    Args:
        given: folders, tars or zips of images, or files of `BenchmarkImages.write` (`.npz`), with
            commas between them. A benchmark is called as its folder or archive is.
        kept: a folder for what was found, so that the same images are not looked at again.

    Raises:
        ConfigError: no path is named, or two benchmarks have one name.
        DataError: a path does not exist, is damaged, or has no images.
    """
    paths = named_paths(given)
    if not paths:
        raise ConfigError(f"benchmarks={given!r} names no path.\nGive a folder, or leave it out.")
    parts = [_images_at(path, kept) for path in paths]
    names = [name for part in parts for name in part.sets]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(
            f"benchmarks={given!r} has two that are called {twice!r}, so a report could not tell "
            "them apart.\nRename a folder or an archive."
        )
    return BenchmarkImages.joined(parts)


def _images_at(path: Path, kept: Path | None) -> BenchmarkImages:
    if path.suffix == _ENDING:
        return BenchmarkImages.read(path)
    if kept is None:
        return _looked_at(path)
    file = kept / f"{_name(path)}-{_state(path)}{_ENDING}"
    if not file.is_file():
        _looked_at(path).write(file)
    return BenchmarkImages.read(file)


def _looked_at(path: Path) -> BenchmarkImages:
    unread: list[str] = []
    found = BenchmarkImages.of(_name(path), visuals_in(path, unread))
    if not found.keys:
        raise DataError(f"None of the {len(unread)} images in {path} can be read: {unread[0]}.")
    if unread:
        warnings.warn(
            f"{len(unread)} of {len(unread) + len(found.keys)} images in {path} cannot be read, so "
            f"nothing is kept clear of them: {'; '.join(unread[:3])}.",
            stacklevel=2,
        )
    return found


def _name(path: Path) -> str:
    whole = path.resolve()
    return whole.name if whole.is_dir() else whole.name.split(".")[0]


def _state(path: Path) -> str:
    """Changes whenever a file comes, goes, or is written anew."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        if file.is_file():
            status = file.stat()
            digest.update(repr((str(file), status.st_size, status.st_mtime_ns)).encode())
    return digest.hexdigest()[:16]
