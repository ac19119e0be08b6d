"""`flamingo benchmarks [NAMES]`: which there are, which files they need, and whether these are."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flamingo.evaluation.benchmarks.benchmark import Benchmark

_DATA_ERROR = 1


def add_parser(subparsers: Any) -> None:
    """Adds the verb `benchmarks` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "benchmarks",
        help="list the paper's benchmarks, or check the files of some",
        description="Without names, a table of the paper's benchmarks. With names, the files that "
        "each needs, where they are to be had, its license, prompt and metric, and the paper's "
        "scores. With --data, whether the files are there and complete.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="of benchmarks (default: all)")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder that has one folder for each benchmark, called as it is: its files are "
        "checked, and the exit code is 1 if some are missing. The paper's own part, where it is "
        "another than the default one, is checked too, and may be missing",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Prints the table, the details, or what the check found.

    Raises:
        ConfigError: there is no benchmark of that name.
    """
    from flamingo.evaluation.benchmarks.registry import BENCHMARKS, benchmark_named

    chosen = [benchmark_named(name) for name in args.names] or list(BENCHMARKS.values())
    if args.data is not None:
        reports = [_check(one, args.data / one.name) for one in chosen]
        print("\n".join(text for text, _ in reports))
        return 0 if all(is_complete for _, is_complete in reports) else _DATA_ERROR
    print("\n".join(_details(one) for one in chosen) if args.names else _table(chosen))
    return 0


def _table(benchmarks: list[Benchmark]) -> str:
    from flamingo.evaluation.metrics.registry import metric_named
    from flamingo.evaluation.text_table import aligned_rows

    rows = [["name", "benchmark", "", "shows", "answers", "metric", "asked", "paper"]]
    for one in benchmarks:
        kind = "held out" if one.is_held_out else "dev"
        shows = "videos" if one.is_video else "pictures"
        answers = "written" if one.max_new_tokens else "chosen"
        metric = metric_named(one.metric).name
        rows.append(
            [one.name, one.title, kind, shows, answers, metric, one.query_parts[0], one.paper_part]
        )
    notes = (
        "asked: the official part that is evaluated by default; paper: the one of the paper.\n"
        "`flamingo benchmarks NAME` tells more of one, and with --data DIR checks its files."
    )
    return f"{aligned_rows(rows, num_left=8)}\n{notes}"


def _details(one: Benchmark) -> str:
    from flamingo.evaluation.metrics.registry import metric_named

    kind = "held out" if one.is_held_out else "development benchmark"
    lines = [
        f"{one.title} ({one.name}), {kind}",
        f"  prompt    {one.template.prefix} {{{one.template.answer}}}",
        f"  metric    {metric_named(one.metric).name}",
        f"  parts     {', '.join(one.query_parts)}; the paper's is {one.paper_part}",
        f"  supports  {one.num_support} of {one.support_part}"
        + (", per class" if one.per_class else ""),
        f"  source    {one.source}",
        f"  license   {one.license}",
        "  files",
        *(f"    {name}  {what}" for name, what in one.layout),
    ]
    for model, scores in one.paper.items():
        told = ", ".join(f"{score} ({shots})" for shots, score in scores.items())
        lines.append(f"  paper     {model}: {told} (shots)")
    return "\n".join(lines) + "\n"


def _check(one: Benchmark, folder: Path) -> tuple[str, bool]:
    """What a benchmark's folder holds, and whether all is there."""
    from flamingo.foundation.errors import FlamingoError

    lines, is_complete = [f"{one.title} in {folder}"], True
    if not folder.is_dir():
        return f"{lines[0]}\n  there is no such folder", False
    for part in dict.fromkeys((one.query_parts[0], one.support_part)):
        if part == one.support_part and not one.max_shots and part != one.query_parts[0]:
            continue
        try:
            found, is_whole = _part(one, folder, part)
        except FlamingoError as error:
            found, is_whole = "".join(f"\n    {line}" for line in str(error).split("\n")), False
        lines.append(f"  {part}: {found}")
        is_complete &= is_whole
    if one.paper_part not in (one.query_parts[0], one.support_part):
        lines.append(f"  {one.paper_part}, the paper's part: {_optional(one, folder)}")
    return "\n".join(lines), is_complete


def _optional(one: Benchmark, folder: Path) -> str:
    """What there is of the paper's part, which is not needed to evaluate the default one."""
    from flamingo.foundation.errors import FlamingoError, reason

    try:
        return _part(one, folder, one.paper_part)[0]
    except FlamingoError as error:
        return f"not there, and not needed for {one.query_parts[0]} ({reason(error)})"


def _part(one: Benchmark, folder: Path, part: str) -> tuple[str, bool]:
    items = one.read(folder, part).items
    expected = one.num_items.get(part)
    files = {media.path for item in items for media in item.media}
    missing = sum(not path.is_file() for path in files)
    told = list(_told(len(items), expected, len(files), missing))
    return ", ".join(told), missing == 0 and expected in (None, len(items))


def _told(number: int, expected: int | None, files: int, missing: int) -> Iterator[str]:
    of_all = "" if expected in (None, number) else f" of {expected}"
    yield f"{number}{of_all} items"
    yield f"{files - missing} of {files} files" if missing else f"all {files} files"
