"""The names of ImageNet's classes, which its folders call by WordNet's numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from timm.data.imagenet_info import ImageNetInfo

from flamingo.evaluation.benchmarks.readers.annotation_file import lines_of
from flamingo.foundation.errors import DataError

CLASS_NAMES = "classnames.txt"
SYNSETS = "LOC_synset_mapping.txt"


def class_names(folder: Path, classes: Sequence[str]) -> dict[str, str]:
    """By class how it is called.

    They are taken from `classnames.txt`, one in each line in the order of the sorted classes, if
    it is there; else from `LOC_synset_mapping.txt`; else from timm. In the latter two a class has
    several names: the first one is taken, or all where another class has the same first name.
    The paper does not say which names it took.

    Args:
        folder: of the benchmark.
        classes: such as "n01440764", sorted.

    Raises:
        DataError: a class has no name.
    """
    if (folder / CLASS_NAMES).is_file():
        names = [line.strip() for line in lines_of(folder / CLASS_NAMES)]
        if len(names) != len(classes):
            raise DataError(
                f"{folder / CLASS_NAMES} has {len(names)} lines, but there are {len(classes)} "
                "classes.\nWrite one name in each line, in the order of the sorted classes."
            )
        return dict(zip(classes, names, strict=True))
    if (folder / SYNSETS).is_file():
        return _short(_named(classes, _of_synsets(folder / SYNSETS), str(folder / SYNSETS)))
    return _short(_named(classes, _of_timm(), "timm"))


def _named(classes: Iterable[str], known: dict[str, str], source: str) -> dict[str, str]:
    unknown = [one for one in classes if one not in known]
    if unknown:
        raise DataError(
            f"{source} has no name of the class {unknown[0]!r}, and of {len(unknown) - 1} others.\n"
            f"Name the folders by WordNet's numbers, or write the names to {CLASS_NAMES}, one in "
            "each line, in the order of the sorted classes."
        )
    return {one: known[one] for one in classes}


def _of_synsets(path: Path) -> dict[str, str]:
    pairs = (line.strip().partition(" ") for line in lines_of(path))
    return {number: names for number, _, names in pairs}


def _of_timm() -> dict[str, str]:
    info = ImageNetInfo("imagenet-1k")
    return dict(zip(info.label_names(), info.label_descriptions(), strict=True))


def _short(names: dict[str, str]) -> dict[str, str]:
    """The first of several names, "tench, Tinca tinca", where that tells classes apart."""
    first = {one: name.split(",")[0].strip() for one, name in names.items()}
    num = Counter(first.values())
    return {one: first[one] if num[first[one]] == 1 else names[one] for one in names}
