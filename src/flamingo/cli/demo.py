"""`flamingo demo`: prompts the bundled miniature and writes a report to look at."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flamingo.miniature.showcase import Shown


def add_parser(subparsers: Any) -> None:
    """Adds the verb `demo` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "demo",
        help="prompt the bundled miniature on held-out pictures and write an HTML report",
        description="Prompts the bundled miniature with a handful of examples each time, on images "
        "and clips that were held out and on real handwriting; prints what it is shown, what it "
        "says and what is true, and writes all of it with pictures into one HTML file.",
    )
    parser.add_argument("--model", default="miniature", help="another model of the same world")
    parser.add_argument(
        "--out", type=Path, default=Path("flamingo-demo.html"), help="the report's file"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Runs the demo.

    Raises:
        FlamingoError: the model cannot be loaded.
    """
    # Imported here: each verb loads what it needs, and no other does.
    import torch

    from flamingo.foundation.errors import ConfigError
    from flamingo.foundation.records import write_text_atomically
    from flamingo.inference.predictor import Predictor
    from flamingo.miniature.report import report_page
    from flamingo.miniature.showcase import show

    if not args.out.parent.is_dir():
        raise ConfigError(f"There is no folder {args.out.parent} to write the report into.")
    begin = time.perf_counter()
    predictor = Predictor.from_pretrained(args.model, dtype="steady")
    shown = []
    for part in show(predictor):
        _print(part)
        shown.append(part)
    seconds = time.perf_counter() - begin
    num_asked = sum(len(part.asked) for part in shown)
    num_right = sum(part.num_right for part in shown)
    facts = {
        "model": str(args.model),
        "right": f"{num_right} of {num_asked} answers",
        "time": f"{seconds:.0f} s on {predictor.model.device}, torch {torch.__version__}",
    }
    write_text_atomically(args.out, report_page(shown, predictor.model, facts))
    print(f"\n{num_right} of {num_asked} right, in {seconds:.0f} s.")
    print(f"The report, with the pictures: {args.out.resolve()}")
    return 0


def _print(part: Shown) -> None:
    scenario, template = part.scenario, part.task.template
    print(f"\n{scenario.title} ({scenario.shots} shots): {scenario.explanation}")
    for one in part.asked:
        supports = [f"[picture] {template.support(**s.fields)}" for s in one.episode.supports]
        more = f"  … and {len(supports) - 4} more" if len(supports) > 4 else ""
        print("  " + " | ".join(supports[:4]) + more)
        mark = "right" if one.is_right else "wrong"
        print(
            f"    [query] {template.query(**one.episode.query.fields)} → {one.answer.text}"
            f"   (truth: {one.episode.answer}; {mark})"
        )
    sys.stdout.flush()
