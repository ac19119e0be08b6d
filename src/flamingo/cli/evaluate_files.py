"""The options of `flamingo evaluate` that are about benchmarks of files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flamingo.evaluation.benchmarks.opening import BenchmarkSettings


def add_file_options(parser: argparse.ArgumentParser) -> None:
    """Adds them."""
    files = parser.add_argument_group("benchmarks of files")
    files.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="[NAME=]DIR",
        help="folder that has one folder for each benchmark, called as it is; or the folder of "
        "one benchmark. May be given several times",
    )
    files.add_argument(
        "--part",
        action="append",
        default=[],
        metavar="NAME=PART",
        help="official part to ask, where it is not the default, as in vqav2=test-dev",
    )
    files.add_argument(
        "--metric",
        action="append",
        default=[],
        metavar="NAME=METRIC",
        help="score a benchmark otherwise, as in vqav2=vqa-accuracy:official; asks nothing anew",
    )
    files.add_argument(
        "--split",
        choices=("test", "validation"),
        default="test",
        help="validation: cut from the training part, for choices; of development benchmarks only",
    )
    files.add_argument(
        "--shots-by",
        choices=("random", "rices"),
        default="random",
        help="rices: those that look most like the query, the most similar last",
    )
    files.add_argument(
        "--supports",
        type=int,
        metavar="N",
        help="size of the support set, per class for ImageNet and Kinetics (default: the paper's "
        "2048, 32 per class; its Table 7 has 1 and 5 per class)",
    )
    files.add_argument(
        "--features",
        type=Path,
        metavar="DIR2",
        help="keeps the features of rices, for other runs too (default: DIR/features)",
    )
    files.add_argument(
        "--frames", type=int, metavar="N", help="per video (default: 30 at 3 per second)"
    )
    files.add_argument(
        "--published-protocol",
        action="store_true",
        help="ask as the authors of OpenFlamingo or IDEFICS did, faults and all, for their numbers "
        "(default: fairly, in the words that the model knows)",
    )
    files.add_argument(
        "--allow-missing",
        action="store_true",
        help="leave out, and count, what has no picture or video",
    )


def settings_of(args: argparse.Namespace, own: dict[str, Path]) -> BenchmarkSettings:
    """How benchmarks are opened.

    Args:
        args: as they were typed.
        own: by name of a task of a YAML file its folder.

    Raises:
        ConfigError: an option lacks the name of its benchmark.
    """
    from flamingo.data.sampling import Sampling
    from flamingo.evaluation.benchmarks.media_loader import EVALUATION_SAMPLING
    from flamingo.evaluation.benchmarks.opening import BenchmarkSettings

    folders = dict(own)
    for word in args.data:
        name, is_there, folder = word.partition("=")
        # A path may have such a sign in it.
        is_named = bool(is_there) and "/" not in name
        folders[name if is_named else ""] = Path(folder if is_named else word)
    sampling = EVALUATION_SAMPLING if args.frames is None else Sampling(num_frames=args.frames)
    return BenchmarkSettings(
        folders=folders,
        parts=_by_name("part", args.part),
        metrics=_by_name("metric", args.metric),
        split=args.split,
        num_support=args.supports,
        rices=args.shots_by == "rices",
        sampling=sampling,
        may_be_missing=args.allow_missing,
    )


def check_used(
    args: argparse.Namespace, names: tuple[str, ...], settings: BenchmarkSettings | None
) -> None:
    """Refuses what would be passed over in silence.

    Args:
        args: as they were typed.
        names: of the tasks.
        settings: of the benchmarks among them; None if there are none.

    Raises:
        ConfigError: an option has no effect.
    """
    from flamingo.foundation.errors import ConfigError, nearest

    if settings is None:
        is_given = {
            "part": args.part,
            "metric": args.metric,
            "split": args.split != "test",
            "shots-by": args.shots_by != "random",
            "frames": args.frames is not None,
            "supports": args.supports is not None,
            "allow-missing": args.allow_missing,
            "features": args.features is not None,
            "published-protocol": args.published_protocol,
        }
        if useless := [option for option, given in is_given.items() if given]:
            raise ConfigError(
                f"--{useless[0]} is for benchmarks of files, and --tasks has none: "
                f"{', '.join(names)}.\nLeave it out, or name a benchmark."
            )
        return
    for option, given in (("part", settings.parts), ("metric", settings.metrics)):
        if unknown := [name for name in given if name not in names]:
            raise ConfigError(
                f"--{option} is for {unknown[0]!r}, which is not among --tasks. "
                f"{nearest(unknown[0], names)}"
            )


def _by_name(option: str, words: list[str]) -> dict[str, str]:
    from flamingo.foundation.errors import ConfigError

    found = {}
    for word in words:
        name, is_there, value = word.partition("=")
        if not is_there:
            raise ConfigError(
                f"--{option} is {word!r}.\nSay of which benchmark: --{option} NAME={word}."
            )
        found[name] = value
    return found
