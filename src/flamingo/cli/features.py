"""`flamingo features RECIPE --data NAMES --out DIR`: what a frozen encoder sees, kept on disk."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flamingo.cli.train import accept_overrides_anywhere, recipe_of

if TYPE_CHECKING:
    from flamingo.data.datasets import DatasetConfig
    from flamingo.presets.flamingo_training import FlamingoTraining
    from flamingo.presets.recipe import Recipe
    from flamingo.presets.vision_features import FrozenEyes, WrittenFeatures

_SHOWN = 10


def add_parser(subparsers: Any) -> None:
    """Adds the verb `features` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "features",
        help="run a frozen vision encoder over data sets once, for many training runs",
        description="Writes the data sets of a recipe with features in place of pictures, as "
        "shards in DIR/NAME. Without augmentation; of videos the first frames. Started again after "
        "it was stopped, it goes on.",
    )
    parser.add_argument(
        "recipe",
        metavar="RECIPE",
        help="a recipe or a .yaml file, as for `flamingo train`; or a trained model, whose data "
        "sets are then named by settings: data.NAME.kind=pairs data.NAME.path=PATH",
    )
    parser.add_argument(
        "overrides", metavar="section.field=value", nargs="*", help="settings of the recipe"
    )
    parser.add_argument(
        "--data", required=True, metavar="NAMES", help="data sets, with commas between them"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the shards")
    parser.add_argument(
        "--samples-per-shard", type=int, default=1000, help="what a kill can lose (default 1000)"
    )
    parser.add_argument(
        "--frames-per-pass", type=int, default=32, help="that the encoder sees at once"
    )
    parser.add_argument(
        "--num-workers", type=int, default=0, help="processes that decode pictures (default 0)"
    )
    parser.set_defaults(run=run)
    accept_overrides_anywhere(parser)


def run(args: argparse.Namespace) -> int:
    """Looks at every picture of the data sets that are named.

    Raises:
        FlamingoError: a wrong recipe, setting or name, or a folder with other features.
    """
    # Imported here: each verb loads what it needs, and no other does.
    from flamingo.foundation.errors import ConfigError
    from flamingo.presets.vision_features import write_features

    for name in ("samples_per_shard", "frames_per_pass"):
        if getattr(args, name) < 1:
            option = f"--{name.replace('_', '-')}"
            raise ConfigError(f"{option} is {getattr(args, name)}, but must be at least 1.")
    config = _settings(args.recipe, args.overrides)
    chosen = _chosen(config, args.data)
    eyes = _eyes(config)
    for name, dataset in chosen.items():
        written = write_features(
            dataset,
            eyes,
            args.out / name,
            samples_per_shard=args.samples_per_shard,
            frames_per_pass=args.frames_per_pass,
            num_workers=args.num_workers,
            progress=_progress(name),
        )
        _report(name, args.out / name, written)
    return 0


def _settings(recipe: str, overrides: Sequence[str]) -> FlamingoTraining:
    from flamingo.foundation.errors import ConfigError
    from flamingo.presets.flamingo_training import FlamingoTraining

    config = _recipe_or_model(recipe).with_overrides(overrides).config
    if not isinstance(config, FlamingoTraining):
        raise ConfigError(
            f"The recipe {recipe!r} has no data sets on disk, of which features could be computed."
            "\nUse one like `flamingo` or `siglip-qwen`, or a recipe file that starts from it."
        )
    return config


def _recipe_or_model(name: str) -> Recipe:
    from flamingo.presets.training import recipe_named, recipe_names

    is_model = name == "miniature" or (Path(name) / "config.json").is_file()
    if is_model and name not in recipe_names():
        start = [f"model.start_from={name}", "model.bridge=null"]
        return recipe_named("flamingo").with_overrides(start)
    return recipe_of(name)


def _chosen(config: FlamingoTraining, names: str) -> dict[str, DatasetConfig]:
    from flamingo.foundation.errors import ConfigError, nearest
    from flamingo.presets.flamingo_training import check_places

    known = {**config.validation, **config.data}
    chosen = {}
    for name in filter(None, (name.strip() for name in names.split(","))):
        if name not in known:
            raise ConfigError(f"There is no data set {name!r}. {nearest(name, known)}")
        if name in config.data and name in config.validation:
            raise ConfigError(
                f"{name!r} is in data and in validation. Give one of them another name."
            )
        chosen[name] = known[name]
    from dataclasses import replace

    check_places(replace(config, data=chosen, validation={}))
    return chosen


def _eyes(config: FlamingoTraining) -> FrozenEyes:
    from flamingo.foundation.devices import pick_device, set_threads
    from flamingo.presets.bridge import fit_of, vision_encoder_of
    from flamingo.presets.pretrained_parts import DTYPES, full_name, store_as
    from flamingo.presets.vision_features import FrozenEyes

    set_threads(config.training.threads)
    encoder = vision_encoder_of(config.model).requires_grad_(False)
    store_as(encoder, DTYPES[config.model.dtype])
    source = config.model.start_from or config.model.vision
    return FrozenEyes(
        encoder.to(pick_device(config.training.device)),
        source=full_name(source) or str(source),
        precision=config.training.precision,
        stored=config.model.dtype,
        fit=fit_of(config.model),
    )


def _progress(name: str) -> Any:
    from tqdm import tqdm

    def show(numbers: Iterable[int], total: int, done: int) -> Iterable[int]:
        return tqdm(
            numbers,
            desc=name,
            total=total,
            initial=done,
            unit="sample",
            disable=not sys.stderr.isatty(),
        )

    return show


def _report(name: str, folder: Path, written: WrittenFeatures) -> None:
    print(f"{name}: {written.num_samples} samples with {written.num_visuals} visuals in {folder}")
    for one in written.skipped[:_SHOWN]:
        print(f"  skipped {one.sample}: {one.reason}")
    if len(written.skipped) > _SHOWN:
        print(f"  and {len(written.skipped) - _SHOWN} more, in {folder / 'skipped.jsonl'}")
    print(f"  train from it with data.{name}.path='{folder}/*.tar'")
