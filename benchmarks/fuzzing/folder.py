"""A folder of hostile pages, all that they refer to, and beside it what they must not reach."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.fuzzing import pictures
from benchmarks.fuzzing.markup import HUGE, MARKUP, Mutation
from benchmarks.fuzzing.references import (
    CANARY,
    NUM_DAMAGED,
    NUM_GOOD,
    REFERENCES,
    many_large_images,
    with_good_images,
)
from flamingo.data.collection.images import load_image
from flamingo.data.collection.pages import LoadedImage

SECRET = "jabberwocky-outside-of-the-folder"
"""Words in the files beside the folder."""
_CANARY_NUMBER = 987_654
_HUGE_EVERY = 500
_SMALL_BYTES = 20_000
_SMALL_LEAVES_OUT = (*HUGE, many_large_images)
_NAMES = ("page %41 {}.html", "päge {}.HTM", "a\\b {}.html", "..{}.xhtml", "line\nbreak {}.html",
          "<b>{}.html", "#{}?x.html", "con:{}.html", "'{}\".html", "{}\udcff.html")  # fmt: skip


@dataclass(frozen=True)
class FuzzFolder:
    """Where everything is.

    Attributes:
        root: of all that is written here.
    """

    root: Path

    @property
    def pages(self) -> Path:
        """What is given to the collector."""
        return self.root / "pages"

    @property
    def outside(self) -> Path:
        """What nobody may read."""
        return self.root / "outside"

    @cached_property
    def secret_pixels(self) -> str:
        """The hash of the picture outside, as samples of shards have it."""
        picture = load_image((self.outside / CANARY).read_bytes())
        assert isinstance(picture, LoadedImage)
        return picture.sha256


def make_folder(
    root: Path, seeds: Sequence[bytes], count: int, seed: int, *, is_small: bool = False
) -> FuzzFolder:
    """Writes `count` pages; the same for the same arguments.

    Args:
        root: an empty folder.
        seeds: real pages.
        count: of pages.
        seed: of all draws; each page has its own.
        is_small: leaves out what takes seconds, and ends pages after 20 kB.
    """
    folder = FuzzFolder(root)
    folder.pages.mkdir(parents=True)
    _write_outside(folder.outside)
    _write_pictures(folder, is_small)
    for number in range(count):
        rng = random.Random(f"{seed} {number}")
        names, page = _mutated(rng, seeds, number, is_small)
        name = _name(rng, number, names)
        path = folder.pages / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(page.replace(b"{outside}", os.fsencode(folder.outside)))
    return folder


def mutations_of(address: str) -> str:
    """Which mutations a page has, by its address."""
    return "+".join(word for word in address.split("~")[1:-1])


def _mutated(
    rng: random.Random, seeds: Sequence[bytes], number: int, is_small: bool
) -> tuple[list[str], bytes]:
    page = with_good_images(rng, rng.choice(seeds))
    if not is_small and number % _HUGE_EVERY == _HUGE_EVERY - 1:
        chosen: list[Mutation] = [rng.choice(HUGE)]
    else:
        # What is referred to first: markup that is broken before has no images to be found.
        chosen = _drawn(rng, REFERENCES, rng.choice((0, 1, 1)))
        chosen += _drawn(rng, MARKUP, rng.choice((0, 1, 2)) if chosen else rng.choice((1, 2, 3)))
    if is_small:
        chosen = [one for one in chosen if one not in _SMALL_LEAVES_OUT]
    for mutation in chosen:
        page = mutation(rng, page)
    return [one.__name__ for one in chosen], page[:_SMALL_BYTES] if is_small else page


def _drawn(rng: random.Random, weights: Mapping[Mutation, int], count: int) -> list[Mutation]:
    return rng.choices(list(weights), list(weights.values()), k=count)


def _name(rng: random.Random, number: int, mutations: Sequence[str]) -> str:
    stem = f"{number:05d}~{'~'.join(mutations)}~"
    kind = rng.randrange(20)
    if kind < len(_NAMES) // 2:
        return rng.choice(_NAMES).format(stem)
    return f"deep/er/{stem}.html" if kind < len(_NAMES) else f"{stem}.html"


def _write_outside(folder: Path) -> None:
    folder.mkdir()
    (folder / CANARY).write_bytes(pictures.good(_CANARY_NUMBER))
    text = f"<html><body><p>{(SECRET + ' ') * 50}<img src={CANARY}></body></html>"
    (folder / "page.html").write_text(text)
    # One place higher, for names that lead just out of the folder.
    (folder.parent / CANARY).write_bytes(pictures.good(_CANARY_NUMBER))


def _write_pictures(folder: FuzzFolder, is_small: bool) -> None:
    files = dict(pictures.all_kinds(is_small=is_small))
    files |= {f"good-{number:03d}.jpg": pictures.good(number) for number in range(NUM_GOOD)}
    files |= dict(pictures.damaged(NUM_DAMAGED, seed=0))
    for name, content in files.items():
        (folder.pages / name).write_bytes(content)
    _write_links(folder)


def _write_links(folder: FuzzFolder) -> None:
    """What is no file, leads out, or never ends."""
    pages, outside = folder.pages, folder.outside
    (pages / "folder.png").mkdir()
    os.mkfifo(pages / "pipe.png")
    with (pages / "sparse.png").open("wb") as file:
        file.truncate(1 << 40)
    links: dict[str, str | Path] = {
        "link.png": outside / CANARY,
        "link": outside,
        "linked.html": outside / "page.html",
        "linked-pages": outside,
        "up": "..",
        "loop.png": "loop.png",
        "loop.html": "loop.html",
        "zero.png": "/dev/zero",
        "passwords.png": "/etc/passwd",
        "inside.jpg": "good-001.jpg",
    }
    for name, target in links.items():
        (pages / name).symlink_to(target)
    os.mkfifo(pages / "pipe.html")
