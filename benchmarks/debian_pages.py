"""Fetches real pages with pictures: the handbooks of two Debian packages, through apt.

    python -m benchmarks.debian_pages FOLDER

On Debian and its relatives; nothing is installed, the packages are unpacked below FOLDER, which
takes about 200 MB. The texts have their own licenses: look at `usr/share/doc` in there before you
pass anything on. `FLAMINGO_DEBIAN_DOCS=FOLDER` then lets the tests read them.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from pathlib import Path

PACKAGES = {
    "gimp-help-en": "usr/share/gimp/2.0/help",
    "python-skimage-doc": "usr/share/doc/python-skimage-doc/html",
}
"""Where each package keeps its pages."""


def fetch(folder: Path) -> None:
    """Downloads and unpacks what is not there yet.

    Raises:
        RuntimeError: apt or dpkg is missing, or fails; the message has what it said.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for package, pages in PACKAGES.items():
        if (folder / pages).is_dir():
            continue
        _run(["apt-get", "download", package], folder)
        for archive in sorted(folder.glob(f"{package}_*.deb")):
            _run(["dpkg", "-x", archive.name, "."], folder)
            archive.unlink()


def pages_of(folder: Path, package: str) -> list[str]:
    """The package's pages as paths below `folder`, sorted."""
    found = (folder / PACKAGES[package]).rglob("*.html")
    return sorted(path.relative_to(folder).as_posix() for path in found)


def draw(folder: Path, package: str, count: int, seed: int = 0) -> list[str]:
    """Some of the package's pages, the same for the same version of it."""
    return sorted(random.Random(seed).sample(pages_of(folder, package), count))


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise RuntimeError(f"{command[0]} is not here: this needs Debian or a relative") from error
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr.strip()}")


def main() -> None:
    """Fetches the pages and says how many there are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    try:
        fetch(folder)
    except RuntimeError as error:
        sys.exit(str(error))
    for package in PACKAGES:
        print(f"{package}: {len(pages_of(folder, package))} pages")


if __name__ == "__main__":
    main()
