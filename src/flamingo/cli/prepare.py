"""`flamingo prepare RECIPE`: pages, captions and videos become shards that a training reads."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flamingo.cli.train import accept_overrides_anywhere

if TYPE_CHECKING:
    from flamingo.data.collection.opening import Settings
    from flamingo.data.collection.prepare import Prepared, Progress
    from flamingo.presets.preparation import Preparation


def add_parser(subparsers: Any) -> None:
    """Adds the verb `prepare` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "prepare",
        help="make training data of web pages, caption files and videos",
        description="Makes shards by a recipe: pages and obelics (web pages to documents), pairs "
        "(captions), alt-texts (images of pages with theirs), clips (videos). Killed, it goes on "
        "when the same command is given again; the shards are the same, byte for byte, on one "
        "machine or on a cluster.",
    )
    parser.add_argument("recipe", metavar="RECIPE", help="a name, or a path to a .yaml file")
    parser.add_argument(
        "overrides",
        metavar="field=value",
        nargs="*",
        help="settings, for instance source=pages images.longest_side=384",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="a folder for the shards")
    parser.add_argument(
        "--engine", choices=("local", "ray"), default="local", help="where to work (default local)"
    )
    parser.add_argument(
        "--processes", type=int, metavar="N", help="at a time (default: one per core)"
    )
    parser.add_argument(
        "--preview",
        type=int,
        metavar="N",
        help="of pages: make nothing but a page to look at, with N documents kept and dropped",
    )
    parser.add_argument(
        "--keep-pieces", action="store_true", help="keep what was made of each piece of the input"
    )
    parser.add_argument(
        "--print-config", action="store_true", help="print every setting as YAML, and stop"
    )
    parser.set_defaults(run=run)
    accept_overrides_anywhere(parser)


def run(args: argparse.Namespace) -> int:
    """Prepares; prints what was read, removed and written.

    Raises:
        FlamingoError: a wrong recipe or setting, no input, or nothing left of it.
    """
    from flamingo.data.collection.extras import needs_crawl

    # The recipes themselves are made of what it brings.
    needs_crawl()
    from flamingo.foundation.errors import ConfigError
    from flamingo.foundation.records import yaml_text
    from flamingo.presets.preparation import preparation_named

    recipe = preparation_named(args.recipe).with_overrides(args.overrides)
    if args.print_config:
        sys.stdout.write(yaml_text(recipe.resolved()))
        return 0
    if args.out is None:
        raise ConfigError("Say where the shards shall live: --out DIR.")
    if args.preview is not None:
        return _preview(args, recipe)
    _report(_prepared(args, recipe), args.out)
    return 0


def _prepared(args: argparse.Namespace, recipe: Preparation) -> Prepared:
    from flamingo.data.collection.engines import engine_named
    from flamingo.data.collection.opening import KINDS, collector_of
    from flamingo.data.collection.prepare import prepare

    settings: Settings = recipe.settings
    engine = engine_named(args.engine, args.processes)
    return prepare(
        collector_of(settings, args.out, engine),
        KINDS[type(settings)],
        args.out,
        settings=recipe.resolved(),
        engine=engine,
        samples_per_shard=settings.samples_per_shard,
        keep_pieces=args.keep_pieces,
        progress=_progress(),
    )


def _preview(args: argparse.Namespace, recipe: Preparation) -> int:
    from flamingo.data.collection.engines import LocalEngine
    from flamingo.data.collection.opening import collector_of
    from flamingo.data.collection.page_collector import PageCollector
    from flamingo.data.collection.preview import preview_html
    from flamingo.data.collection.previewing import looked_at
    from flamingo.foundation.errors import ConfigError
    from flamingo.foundation.records import write_text_atomically

    if args.preview < 1:
        raise ConfigError(f"--preview is {args.preview}, but must be at least 1.")
    collector = collector_of(recipe.settings, args.out, LocalEngine(1))
    if not isinstance(collector, PageCollector):
        raise ConfigError(f"--preview shows documents, and {recipe.name} makes none.")
    path = args.out / "preview.html"
    args.out.mkdir(parents=True, exist_ok=True)
    looked = looked_at(collector, args.preview)
    title = f"{recipe.settings.source}, by the recipe {recipe.name}"
    write_text_atomically(path, preview_html(title, looked))
    kept = sum(one.page is not None for one in looked)
    print(f"{path}: {kept} documents kept, {len(looked) - kept} dropped.")
    return 0


def _progress() -> Progress:
    from tqdm import tqdm

    bars: dict[str, Any] = {}

    def progress(what: str, done: int, total: int) -> None:
        if what not in bars:
            for bar in bars.values():
                bar.close()
            bars[what] = tqdm(desc=what, total=total, unit="piece", initial=done)
        bars[what].update(done - bars[what].n)
        if done == total:
            bars[what].close()

    return progress


def _report(prepared: Prepared, out: Path) -> None:
    from flamingo.data.collection.telling import report_text
    from flamingo.foundation.records import write_text_atomically

    text = report_text(prepared)
    write_text_atomically(out / "report.txt", text)
    sys.stdout.write(text)
    manifest = prepared.manifest
    print(
        f"\nTrain on it: flamingo train flamingo data.mine.kind={manifest.kind} "
        f"data.mine.path='{out / manifest.path}'"
    )
