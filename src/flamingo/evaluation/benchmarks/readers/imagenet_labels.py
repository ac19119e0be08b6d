"""The classes of ImageNet's validation pictures, where these lie together in one folder."""

from __future__ import annotations

import importlib
from pathlib import Path

from flamingo.evaluation.benchmarks.readers.annotation_file import lines_of, read_csv
from flamingo.foundation.errors import ConfigError, DataError

SOLUTION = "LOC_val_solution.csv"
TRUTH = "ILSVRC2012_validation_ground_truth.txt"
META = "meta.mat"
_DEVKITS = ("", "ILSVRC2012_devkit_t12/data", "data")
_OTHERWISE = f"Or sort the pictures into folders of their classes, or put {SOLUTION} there."


def flat_labels(folder: Path) -> dict[str, str]:
    """By name of a picture, without ending, its class, such as "n01440764".

    They are taken from `LOC_val_solution.csv`; else from the development kit's
    `ILSVRC2012_validation_ground_truth.txt`, whose numbers follow an order of their own and not
    that of the sorted classes, so that its `meta.mat` is needed as well.

    The columns of the first and the content of `meta.mat` are from memory and not checked against
    the files.

    Raises:
        DataError: neither is there, or one is damaged.
        ConfigError: `meta.mat` is needed but scipy, which reads it, is not installed.
    """
    if (folder / SOLUTION).is_file():
        rows = read_csv(folder / SOLUTION, ("ImageId", "PredictionString"))
        return {row["ImageId"]: row["PredictionString"].partition(" ")[0] for row in rows}
    kit = next((folder / one for one in _DEVKITS if (folder / one / TRUTH).is_file()), None)
    if kit is None:
        raise DataError(
            f"the validation pictures in {folder} lie together, and nothing says what they show: "
            f"there is neither {SOLUTION} nor {TRUTH}.\n"
            "Sort the pictures into folders of their classes, or put one of these files there."
        )
    return _of_kit(kit)


def _of_kit(kit: Path) -> dict[str, str]:
    if not (kit / META).is_file():
        raise DataError(
            f"{kit} has {TRUTH} but no {META}, without which its numbers mean nothing.\n"
            f"Copy {META} from the development kit to the same place. {_OTHERWISE}"
        )
    classes = _classes(kit / META)
    labels = {}
    for number, line in enumerate(lines_of(kit / TRUTH), start=1):
        if not line.strip().isdigit() or int(line) not in classes:
            raise DataError(
                f"line {number} of {kit / TRUTH} is {line.strip()!r}, no class of {META}.\n"
                "Get both from the same development kit, and do not change them."
            )
        labels[f"ILSVRC2012_val_{number:08d}"] = classes[int(line)]
    return labels


def _classes(path: Path) -> dict[int, str]:
    """By number of the development kit its class."""
    try:
        matlab = importlib.import_module("scipy.io")
    except ImportError as error:
        raise ConfigError(
            f"{path} is read with scipy, which is not installed.\nInstall it. {_OTHERWISE}"
        ) from error
    try:
        synsets = matlab.loadmat(str(path), squeeze_me=True)["synsets"]
        numbers, classes = synsets["ILSVRC2012_ID"], synsets["WNID"]
        return {int(number): str(one) for number, one in zip(numbers, classes, strict=True)}
    except Exception as error:  # Whatever a damaged file makes scipy raise.
        raise DataError(
            f"{path} is damaged: {error}.\nCopy it again from the development kit. {_OTHERWISE}"
        ) from error
