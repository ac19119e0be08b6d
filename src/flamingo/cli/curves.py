"""`flamingo curves RUN`: draws what a training run has logged so far."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Adds the verb `curves` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "curves",
        help="draw the losses and gates of a training run",
        description="Draws losses, validation, learning rate, throughput and the opening of the "
        "gates at every layer, of a run that is finished or still going on.",
    )
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="the folder of the run")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="a .png, .svg or .pdf file (RUN/curves.png)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Writes the picture and says where it is.

    Raises:
        FlamingoError: no such run, or matplotlib is missing.
    """
    from flamingo.training.plots import plot_run
    from flamingo.training.trainer import LOG

    target: Path = args.out or args.run_folder / "curves.png"
    plot_run(args.run_folder / LOG, target)
    print(target)
    return 0
