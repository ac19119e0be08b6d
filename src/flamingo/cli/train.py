"""`flamingo train RECIPE`: runs a recipe, or goes on with it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flamingo.presets.recipe import Recipe

STOPPED = 130
"""Exit status of a run that was stopped by a signal, as shells have it."""


def add_parser(subparsers: Any) -> None:
    """Adds the verb `train` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "train",
        help="train a model by a recipe; started again, it goes on where it stopped",
        description="Trains by a named recipe or a recipe file. A run that was stopped, or "
        "killed, goes on when the same command is given again.",
    )
    parser.add_argument("recipe", metavar="RECIPE", help="a name, or a path to a .yaml file")
    parser.add_argument(
        "overrides",
        metavar="section.field=value",
        nargs="*",
        help="settings to change, for instance training.steps=100",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="the folder of the run")
    parser.add_argument(
        "--print-config", action="store_true", help="print every setting as YAML, and stop"
    )
    parser.set_defaults(run=run)
    accept_overrides_anywhere(parser)


def run(args: argparse.Namespace) -> int:
    """Trains; 0 when the run is finished, 130 when it was stopped by Ctrl-C or SIGTERM.

    Raises:
        FlamingoError: a wrong recipe or setting, or training that cannot go on.
    """
    # Imported here: each verb loads what it needs, and no other does.
    from flamingo.foundation.errors import ConfigError
    from flamingo.foundation.records import yaml_text

    recipe = recipe_of(args.recipe).with_overrides(args.overrides)
    if args.print_config:
        sys.stdout.write(yaml_text(recipe.resolved()))
        return 0
    if args.out is None:
        raise ConfigError("Say where the run shall live: --out DIR.")
    return 0 if recipe.trainer(args.out).fit() else STOPPED


def accept_overrides_anywhere(parser: argparse.ArgumentParser) -> None:
    """Lets assignments stand after options too; argparse alone takes them before only."""
    parse = parser.parse_known_args

    def parse_known_args(args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        found, rest = parse(args, namespace)
        late = [word for word in rest if "=" in word and not word.startswith("-")]
        found.overrides = [*found.overrides, *late]
        return found, [word for word in rest if word not in late]

    parser.parse_known_args = parse_known_args  # type: ignore[assignment,method-assign]


def recipe_of(name: str) -> Recipe:
    """The recipe of that name, or in that file.

    Raises:
        ConfigError: there is none.
    """
    from flamingo.presets.training import recipe_from_file, recipe_named

    if name.endswith((".yaml", ".yml")):
        return recipe_from_file(Path(name))
    return recipe_named(name)
